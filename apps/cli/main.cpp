// The program: parses the command line, calls one verb, and turns errors into messages and exit codes.
#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "apps/cli/numbers.h"
#include "apps/cli/terminal.h"
#include "apps/cli/verbs.h"
#include "vaeguard/base/error.h"
#include "vaeguard/base/parallel.h"
#include "vaeguard/base/text.h"
#include "vaeguard/plugins/torch_plugin.h"
#include "vaeguard/runs/environment.h"

namespace vaeguard::cli {
namespace {

constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kMisuse = 2;
constexpr int kInterrupted = 130;

void add_common(CLI::App& program, Common& common) {
  program.add_option("--threads", common.threads, "Threads to use (default: VAEGUARD_THREADS, else all processors)")
      ->check(whole_number(0, 4096));
  program.add_option("--seed", common.seed, "Seed of all randomness, instead of the plan's")->check(whole_number(0));
  program.add_option("--backend", common.backend,
                     "Network backend: auto, or one of `vaeguard list` (default: VAEGUARD_BACKEND, else the fastest)");
  program
      .add_option("--precision", common.precision,
                  "fp32, or mixed: leapfrog gradients in bfloat16, energies that decide exact (default: fp32)")
      ->envname("VAEGUARD_PRECISION")
      ->check(CLI::IsMember({"fp32", "mixed"}));
  program.add_option("--data", common.data,
                     "Folder of data sets (default: VAEGUARD_DATA, else ~/.cache/vaeguard/data)");
  program.add_flag("--quiet,-q", common.quiet, "No progress and no messages, only results and errors");
}

// The verb that was named on the command line, or the program itself.
const CLI::App& named_verb(const CLI::App& program) {
  const auto verbs = program.get_subcommands();
  return verbs.empty() ? program : *verbs.front();
}

// "unknown option '--ot', did you mean '--out'?"
std::string explain_extras(const CLI::App& program) {
  const CLI::App& verb = named_verb(program);
  std::vector<std::string> known;
  for (const CLI::App* app : {&verb, &program}) {
    for (const CLI::Option* option : app->get_options()) {
      for (const std::string& name : option->get_lnames()) {
        known.push_back("--" + name);
      }
    }
  }
  if (&verb == &program) {
    for (const CLI::App* subcommand : program.get_subcommands([](const CLI::App*) { return true; })) {
      known.push_back(subcommand->get_name());
    }
  }
  auto extras = verb.remaining();
  if (extras.empty()) {
    extras = program.remaining();
  }
  const std::string word = extras.empty() ? "" : extras.front().substr(0, extras.front().find('='));
  const std::string guess = nearest(word, known);
  return fmt::format("unknown {} '{}'{}; see `vaeguard {}--help`", word.starts_with("-") ? "option" : "argument", word,
                     guess.empty() ? "" : fmt::format(", did you mean '{}'?", guess),
                     &verb == &program ? "" : verb.get_name() + " ");
}

int report(int code, std::string_view message) {
  fmt::print(stderr, "vaeguard: {}\n", message);
  return code;
}

int run_program(int argc, char** argv) {
  CLI::App program{
      "Attack, defend and measure variational autoencoders.\n"
      "A first result: vaeguard run plans/quickstart.toml --out runs/quickstart"};
  program.set_version_flag("--version", runs::version());
  program.require_subcommand(0, 1);
  program.fallthrough();
  Common common;
  add_common(program, common);
  std::unique_ptr<Observer> observer;
  program.parse_complete_callback([&] {
    observer = make_terminal_observer(common.quiet);
    common.observer = observer.get();
  });
  for (AddVerb* add : {add_run, add_train, add_attack, add_defend, add_report, add_import, add_check, add_export,
                       add_list, add_doctor, add_bench}) {
    add(program, common);
  }
  try {
    program.parse(argc, argv);
    if (program.get_subcommands().empty()) {
      fmt::print("{}", program.help());
    }
    return kDone;
  } catch (const CLI::Success& request) {
    return program.exit(request);  // --help, --version
  } catch (const CLI::ExtrasError&) {
    return report(kMisuse, explain_extras(program));
  } catch (const CLI::ParseError& error) {
    const CLI::App& verb = named_verb(program);
    return report(kMisuse, fmt::format("{}; see `vaeguard {}--help`", error.what(),
                                       &verb == &program ? "" : verb.get_name() + " "));
  } catch (const Misuse& error) {
    observer.reset();
    return report(kMisuse, error.what());
  } catch (const Interrupted&) {
    observer.reset();
    return report(kInterrupted, "interrupted; finished work is kept, and the same command continues from there");
  } catch (const std::exception& error) {
    observer.reset();
    return report(kFailed, error.what());
  }
}

}  // namespace

int Common::thread_count() const { return vaeguard::thread_count(threads); }

networks::Precision Common::gradient_precision() const {
  return precision == "mixed" ? networks::Precision::bfloat16 : networks::Precision::float32;
}

std::uint64_t Common::seed_or(std::uint64_t fallback) const {
  return seed < 0 ? fallback : static_cast<std::uint64_t>(seed);
}

}  // namespace vaeguard::cli

int main(int argc, char** argv) {
  vaeguard::plugins::register_torch_backends();
  return vaeguard::cli::run_program(argc, argv);
}
