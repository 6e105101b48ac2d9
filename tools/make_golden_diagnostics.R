#!/usr/bin/Rscript
# Writes tests/golden/diagnostics.json: what R's package posterior makes of fixed chains, to check
# vaeguard/mcmc/diagnostics.cpp against.
#
# Usage: tools/make_golden_diagnostics.R [OUTPUT]
#
# Debian: apt-get install r-cran-posterior. Draws are rounded to six decimals first, so that both sides read the same.

library(posterior, warn.conflicts = FALSE)
options(warn = -1)
set.seed(20221)

autoregressive <- function(draws, chains, correlation) {
  replicate(chains, as.numeric(stats::arima.sim(list(ar = correlation), n = draws)))
}

cases <- list(
  "well mixed" = matrix(rnorm(4 * 100), 100),
  "autocorrelated" = autoregressive(200, 4, 0.9),
  "antithetic" = autoregressive(100, 4, -0.6),
  "shifted" = sweep(matrix(rnorm(3 * 80), 80), 2, c(0, 0.3, 1.5), "+"),
  "unequal widths" = sweep(matrix(rnorm(4 * 80), 80), 2, c(1, 1, 1, 4), "*"),
  "heavy-tailed" = matrix(rcauchy(4 * 100), 100),
  "skewed" = matrix(rexp(2 * 150)^3, 150),
  "one chain, odd length" = autoregressive(61, 1, 0.5),
  "drifting" = matrix(rnorm(2 * 60), 60) + seq(0, 2, length.out = 60),
  "ties" = round(autoregressive(100, 3, 0.7)),
  "short" = matrix(rnorm(4 * 12), 12),
  "constant" = matrix(1.25, 30, 3)
)

number <- function(value) if (is.na(value)) "null" else sprintf("%.17g", value)

described <- function(name) {
  draws <- round(cases[[name]], 6)
  chains <- apply(draws, 2, function(chain) sprintf("[%s]", paste(sprintf("%.6f", chain), collapse = ", ")))
  sprintf(
    '  {"name": "%s", "rhat": %s, "bulk_ess": %s, "tail_ess": %s, "mean_ess": %s, "mcse_mean": %s, "chains": [%s]}',
    name, number(rhat(draws)), number(ess_bulk(draws)), number(ess_tail(draws)), number(ess_mean(draws)),
    number(mcse_mean(draws)), paste(chains, collapse = ", ")
  )
}

arguments <- commandArgs(trailingOnly = TRUE)
script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
output <- if (length(arguments) > 0) arguments[1] else file.path(dirname(script), "../tests/golden/diagnostics.json")
header <- sprintf('{"command": "tools/make_golden_diagnostics.R", "versions": {"R": "%s", "posterior": "%s"}}',
                  getRversion(), packageVersion("posterior"))
lines <- vapply(names(cases), described, "")
writeLines(c(sprintf('{"header": %s,\n "cases": [', header), paste(lines, collapse = ",\n"), "]}"), output)
cat(sprintf("wrote %s: %d cases\n", output, length(cases)))
