// Choosing references and folding keys.
#include "vaeguard/runs/plan_references.h"

#include <utility>

#include "vaeguard/data/split.h"

namespace vaeguard::runs {
measures::References plan_references(std::uint64_t seed, std::int64_t number, const measures::Subject& subject,
                                     const data::Dataset& dataset, int threads) {
  auto index = data::choose_references(dataset, number, Key(seed).fold("references"));
  auto images = data::gather(dataset.test, index);
  return make_references(subject, std::move(images), std::move(index), Key(seed).fold("reference draws"), threads);
}

std::vector<Key> defence_keys(std::uint64_t seed, std::string_view defence, const measures::References& references,
                              std::int64_t restarts) {
  std::vector<Key> keys;
  const Key key = Key(seed).fold("defence").fold(defence);
  for (const std::int64_t index : references.index) {
    for (std::int64_t restart = 0; restart < restarts; ++restart) {
      keys.push_back(key.fold(static_cast<std::uint64_t>(index)).fold(static_cast<std::uint64_t>(restart)));
    }
  }
  return keys;
}

}  // namespace vaeguard::runs
