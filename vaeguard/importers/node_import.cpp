// Looking up inputs and attributes, and saying what is wrong with them.
#include "vaeguard/importers/node_import.h"

#include <algorithm>

#include "vaeguard/base/error.h"

namespace vaeguard::importers {
namespace {

constexpr const char* kPlace = "importers.node";

}  // namespace

const Known& NodeImport::input(std::size_t index) const {
  if (!has_input(index)) {
    misuse(kPlace, "it must have at least {} inputs, found {}", index + 1, inputs_.size());
  }
  return *inputs_[index];
}

bool NodeImport::all_constant() const {
  return std::ranges::none_of(inputs_,
                              [](const auto& known) { return known && std::holds_alternative<Value>(*known); });
}

const Value& NodeImport::value(std::size_t index) const {
  const Value* value = std::get_if<Value>(&input(index));
  if (value == nullptr) {
    misuse(kPlace, "its input '{}' must depend on the network's input, it is a constant", node_.inputs[index]);
  }
  return *value;
}

const Tensor& NodeImport::constant(std::size_t index) const {
  const Tensor* tensor = std::get_if<Tensor>(&input(index));
  if (tensor == nullptr) {
    misuse(kPlace, "its input '{}' must be a constant, it depends on the network's input", node_.inputs[index]);
  }
  return *tensor;
}

float NodeImport::scalar(std::size_t index) const {
  const std::vector<float> values = constant(index).reals();
  if (values.size() != 1) {
    misuse(kPlace, "its input '{}' must be one number, found {}", node_.inputs[index], values.size());
  }
  return values.front();
}

const OnnxAttribute* NodeImport::attribute(const std::string& name) const {
  ignored_.insert(name);
  const auto found = node_.attributes.find(name);
  return found == node_.attributes.end() ? nullptr : &found->second;
}

template <typename Type>
const Type* NodeImport::typed(const std::string& name, std::string_view what) const {
  const OnnxAttribute* found = attribute(name);
  const Type* typed = found == nullptr ? nullptr : std::get_if<Type>(found);
  if (found != nullptr && typed == nullptr) {
    misuse(kPlace, "the attribute '{}' must be {}", name, what);
  }
  return typed;
}

std::int64_t NodeImport::integer(const std::string& name, std::int64_t fallback) const {
  const auto* found = typed<std::int64_t>(name, "an integer");
  return found == nullptr ? fallback : *found;
}

double NodeImport::number(const std::string& name, double fallback) const {
  const auto* found = typed<float>(name, "a real number");
  return found == nullptr ? fallback : static_cast<double>(*found);
}

std::string NodeImport::word(const std::string& name, const std::string& fallback) const {
  const auto* found = typed<std::string>(name, "a text");
  return found == nullptr ? fallback : *found;
}

std::optional<Extents> NodeImport::integers(const std::string& name) const {
  const auto* found = typed<Extents>(name, "a list of integers");
  return found == nullptr ? std::nullopt : std::optional(*found);
}

std::optional<Extents> NodeImport::integers_or_input(const std::string& name, std::size_t index) const {
  return has_input(index) ? std::optional(constant(index).integers()) : integers(name);
}

void NodeImport::refuse_unread() const {
  for (const auto& [name, value] : node_.attributes) {
    if (!ignored_.contains(name)) {
      misuse(kPlace, "its attribute '{}' is not known here", name);
    }
  }
}

std::size_t NodeImport::axis_of(const Value& value, std::int64_t axis) const {
  const std::int64_t found = axis_from_front(axis, static_cast<std::int64_t>(value.shape.size()) + 1);
  if (found == 0) {
    misuse(kPlace, "it works along the batch, but every image must be treated by itself");
  }
  return static_cast<std::size_t>(found - 1);
}

}  // namespace vaeguard::importers
