// Words for the names in records: titles, units of display and one-sentence explanations.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "vaeguard/metrics/catalogue.h"

namespace vaeguard::reports {

enum class Better { higher, lower, neither };

/// How a metric is shown.
struct MetricWords {
  std::string name = {};   // in records
  std::string title = {};  // short, for table heads and axes
  Better better = Better::neither;
  bool proportion = false;       // its interval is Wilson's
  Range range = {};              // of its values
  int digits = 3;                // after the decimal point
  std::string explanation = {};  // for the glossary
};

/// Words for a metric; an unknown one is shown under its own name with three digits and no direction.
MetricWords metric_words(std::string_view name);

/// Names of the metrics known here, in the order in which tables and charts show them.
std::vector<std::string> known_metrics();

/// `names` with the known ones first, in that order, then the others alphabetically.
std::vector<std::string> in_known_order(std::set<std::string> names);

/// "beta_vae_5" -> "β-VAE, β = 5"; an unknown name is returned unchanged.
std::string model_words(std::string_view name);
std::string attack_words(std::string_view name);
std::string attack_explanation(std::string_view name);  // empty if unknown
std::string defence_words(std::string_view name);
std::string defence_explanation(std::string_view name);  // empty if unknown
std::string norm_words(std::string_view name);           // empty for "none", the norm of no attack
std::string norm_explanation(std::string_view name);     // empty if unknown
std::string aggregation_words(std::string_view name);    // of estimates and scores: "draw", "mean"
std::string restarts_words(std::string_view name);       // "mean", "worst"

/// A number with `digits` after the point; "NaN", "∞", "−∞" otherwise. The minus is the typographic one.
std::string number_words(double value, int digits);
/// "15,750": thousands separators, and one decimal unless `value` is whole.
std::string count_words(double value);
/// A radius or option in its shortest form: "0.1".
std::string plain_number(double value);

}  // namespace vaeguard::reports
