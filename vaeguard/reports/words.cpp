// The words of a report, in one place, so that tables, charts and glossary agree.
#include "vaeguard/reports/words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <optional>
#include <vector>

#include "vaeguard/attacks/registry.h"
#include "vaeguard/base/norm.h"
#include "vaeguard/defences/registry.h"

namespace vaeguard::reports {
namespace {

struct NameWords {
  std::string_view name;
  std::string_view words;
};

template <std::size_t N>
const NameWords* find(const std::array<NameWords, N>& known, std::string_view name) {
  const auto found = std::ranges::find(known, name, &NameWords::name);
  return found == known.end() ? nullptr : &*found;
}

template <std::size_t N>
std::string words_of(const std::array<NameWords, N>& known, std::string_view name) {
  const NameWords* found = find(known, name);
  return std::string(found != nullptr ? found->words : name);
}

// Title and description of an attack, which is called like its goal, its suite or its optimiser.
struct Words {
  std::string_view title;
  std::string_view description;
};

std::optional<Words> words_of_attack(std::string_view name) {
  if (name == "clean") {
    return Words{"No attack", "The reference images, unchanged."};
  }
  if (const auto* goal = attacks::goals().lookup(name)) {
    return Words{goal->title, goal->description};
  }
  if (const auto* suite = attacks::suites().lookup(name)) {
    return Words{suite->title, suite->description};
  }
  if (const auto* optimiser = attacks::optimisers().lookup(name)) {
    return Words{optimiser->title, optimiser->description};
  }
  return std::nullopt;
}

// "encoder_skl_unsaturated_decoy" -> "encoder_skl", and the words of the other parts in their order.
struct BudgetedName {
  std::string_view attack;
  std::vector<Words> pixels = {};
};

BudgetedName without_pixel_budget(std::string_view name) {
  BudgetedName parts{.attack = name};
  const auto& entries = attacks::pixel_budgets();
  for (auto entry = entries.end(); entry != entries.begin();) {
    --entry;
    const std::string ending = fmt::format("_{}", entry->name);
    if (parts.attack.ends_with(ending)) {
      parts.attack.remove_suffix(ending.size());
      parts.pixels.insert(parts.pixels.begin(), {entry->title, entry->description});
    }
  }
  return parts;
}

// "Energy drop" -> "energy drop"; "AUROC" stays.
std::string within_sentence(std::string title) {
  if (title.size() > 1 && std::islower(static_cast<unsigned char>(title[1])) != 0) {
    title[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(title[0])));
  }
  return title;
}

std::string typographic_minus(std::string text) {
  if (text.starts_with('-')) {
    text.replace(0, 1, "−");
  }
  return text;
}

}  // namespace

MetricWords metric_words(std::string_view name) {
  MetricWords words{.name = std::string(name), .title = std::string(name)};
  if (const metrics::MetricEntry* entry = metrics::catalogue().lookup(name)) {
    words.title = entry->title;
    words.digits = entry->digits;
    words.explanation = entry->description;
    words.better = entry->higher_is_better ? Better::higher : Better::lower;
    words.proportion = entry->proportion;
    words.range = entry->range;
  }
  return words;
}

std::vector<std::string> known_metrics() { return metrics::catalogue().names(); }

std::vector<std::string> in_known_order(std::set<std::string> names) {
  std::vector<std::string> ordered;
  for (const std::string& metric : known_metrics()) {
    if (names.erase(metric) > 0) {
      ordered.push_back(metric);
    }
  }
  ordered.insert(ordered.end(), names.begin(), names.end());
  return ordered;
}

std::string model_words(std::string_view name) {
  constexpr std::array kModels = {NameWords{"vae", "VAE"},
                                  NameWords{"se_01", "SE, radius 0.1"},
                                  NameWords{"se_02", "SE, radius 0.2"},
                                  NameWords{"avae", "AVAE"},
                                  NameWords{"se_01_avae", "SE 0.1-AVAE"},
                                  NameWords{"se_02_avae", "SE 0.2-AVAE"},
                                  NameWords{"avae_ss", "AVAE-SS"},
                                  NameWords{"vae_gaussian", "VAE, Gaussian"},
                                  NameWords{"avae_gaussian", "AVAE, Gaussian"},
                                  NameWords{"realnvp_vae", "VAE, RealNVP prior"}};
  for (const auto& [stem, words] : {std::pair("beta_vae_", "β-VAE"), {"beta_tcvae_", "β-TCVAE"}}) {
    if (name.starts_with(stem)) {
      return fmt::format("{}, β = {}", words, name.substr(std::string_view(stem).size()));
    }
  }
  return words_of(kModels, name);
}

std::string attack_words(std::string_view name) {
  const BudgetedName parts = without_pixel_budget(name);
  const auto words = words_of_attack(parts.attack);
  std::string title(words ? words->title : parts.attack);
  for (const Words& part : parts.pixels) {
    title += fmt::format(", {}", part.title);
  }
  return title;
}

std::string attack_explanation(std::string_view name) {
  const BudgetedName parts = without_pixel_budget(name);
  const auto words = words_of_attack(parts.attack);
  std::string explanation(words ? words->description : "");
  for (const Words& part : parts.pixels) {
    explanation += fmt::format("{}{}", explanation.empty() ? "" : " ", part.description);
  }
  return explanation;
}

std::string defence_words(std::string_view name) {
  const auto* entry = defences::defences().lookup(name);
  return std::string(entry != nullptr ? entry->title : name);
}

std::string defence_explanation(std::string_view name) {
  const auto* entry = defences::defences().lookup(name);
  return entry == nullptr         ? ""
         : entry->caution.empty() ? std::string(entry->description)
                                  : fmt::format("{} {}", entry->description, entry->caution);
}

std::string norm_words(std::string_view name) {
  const auto* entry = norms().lookup(name);
  if (entry != nullptr) {
    return std::string(entry->title);
  }
  return std::string(name == "none" ? "" : name == "l2_share" ? "L2 share" : name);
}

std::string norm_explanation(std::string_view name) {
  const auto* entry = norms().lookup(name);
  return std::string(entry != nullptr ? entry->description : "");
}

std::string aggregation_words(std::string_view name) {
  constexpr std::array kAggregations = {NameWords{"draw", "one draw"}, NameWords{"mean", "mean over draws"},
                                        NameWords{"vote", "vote of draws"},
                                        NameWords{"reencoded", "repaired image, re-encoded"}};
  if (const metrics::MetricEntry* score = metrics::catalogue().lookup(name)) {
    return "detection by " + within_sentence(std::string(score->title));
  }
  return words_of(kAggregations, name);
}

std::string restarts_words(std::string_view name) {
  constexpr std::array kRestarts = {NameWords{"mean", "mean"}, NameWords{"worst", "worst case"}};
  return words_of(kRestarts, name);
}

std::string number_words(double value, int digits) {
  if (std::isnan(value)) {
    return "NaN";
  }
  if (std::isinf(value)) {
    return value > 0 ? "∞" : "−∞";
  }
  std::string text = fmt::format("{:.{}f}", value, digits);
  if (text.find_first_not_of("-0.") == std::string::npos && text.starts_with('-')) {
    text.erase(0, 1);  // no negative zero
  }
  return typographic_minus(std::move(text));
}

std::string count_words(double value) {
  if (!std::isfinite(value)) {
    return number_words(value, 0);
  }
  std::string text = fmt::format("{:.{}f}", value, value == std::round(value) ? 0 : 1);
  const std::size_t first_digit = text.starts_with('-') ? 1 : 0;
  std::size_t position = std::min(text.find('.'), text.size());
  while (position > first_digit + 3) {
    position -= 3;
    text.insert(position, 1, ',');
  }
  return typographic_minus(std::move(text));
}

std::string plain_number(double value) {
  return std::isfinite(value) ? typographic_minus(fmt::format("{}", value)) : number_words(value, 0);
}

}  // namespace vaeguard::reports
