// Writes small ONNX models for tests.
#pragma once

#include <onnx/onnx_pb.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace vaeguard::importers {

/// A model that grows node by node; an extent of 0 is left open.
class OnnxWriter {
 public:
  explicit OnnxWriter(std::int64_t opset = 13) {
    model_.set_ir_version(8);
    model_.add_opset_import()->set_version(opset);
    model_.mutable_graph()->set_name("test");
  }

  OnnxWriter& input(const std::string& name, const std::vector<std::int64_t>& shape) {
    describe(*model_.mutable_graph()->add_input(), name, shape);
    return *this;
  }
  OnnxWriter& output(const std::string& name) {
    describe(*model_.mutable_graph()->add_output(), name, {});
    return *this;
  }
  OnnxWriter& reals(const std::string& name, const std::vector<std::int64_t>& shape, const std::vector<float>& values) {
    fill(*model_.mutable_graph()->add_initializer(), name, shape, values);
    return *this;
  }
  OnnxWriter& integers(const std::string& name, const std::vector<std::int64_t>& values) {
    auto& tensor = *model_.mutable_graph()->add_initializer();
    tensor.set_name(name);
    tensor.set_data_type(onnx::TensorProto::INT64);
    tensor.add_dims(static_cast<std::int64_t>(values.size()));
    tensor.mutable_int64_data()->Add(values.begin(), values.end());
    return *this;
  }
  /// The node that was added takes the attributes that follow.
  OnnxWriter& node(const std::string& operation, const std::vector<std::string>& inputs,
                   const std::vector<std::string>& outputs) {
    node_ = model_.mutable_graph()->add_node();
    node_->set_op_type(operation);
    node_->set_name("the_" + operation);
    for (const std::string& name : inputs) {
      node_->add_input(name);
    }
    for (const std::string& name : outputs) {
      node_->add_output(name);
    }
    return *this;
  }
  OnnxWriter& with(const std::string& name, std::int64_t value) {
    attribute(name, onnx::AttributeProto::INT).set_i(value);
    return *this;
  }
  OnnxWriter& with(const std::string& name, int value) { return with(name, std::int64_t{value}); }
  OnnxWriter& with(const std::string& name, float value) {
    attribute(name, onnx::AttributeProto::FLOAT).set_f(value);
    return *this;
  }
  OnnxWriter& with(const std::string& name, const char* value) {
    attribute(name, onnx::AttributeProto::STRING).set_s(value);
    return *this;
  }
  OnnxWriter& with(const std::string& name, const std::vector<std::int64_t>& values) {
    attribute(name, onnx::AttributeProto::INTS).mutable_ints()->Add(values.begin(), values.end());
    return *this;
  }
  OnnxWriter& with(const std::string& name, const std::vector<std::int64_t>& shape, const std::vector<float>& values) {
    fill(*attribute(name, onnx::AttributeProto::TENSOR).mutable_t(), "", shape, values);
    return *this;
  }

  [[nodiscard]] onnx::ModelProto& model() { return model_; }
  [[nodiscard]] onnx::GraphProto& graph() { return *model_.mutable_graph(); }
  [[nodiscard]] std::string bytes() const { return model_.SerializeAsString(); }
  void save(const std::filesystem::path& file) const { std::ofstream(file, std::ios::binary) << bytes(); }

 private:
  static void describe(onnx::ValueInfoProto& value, const std::string& name, const std::vector<std::int64_t>& shape) {
    value.set_name(name);
    auto& type = *value.mutable_type()->mutable_tensor_type();
    type.set_elem_type(onnx::TensorProto::FLOAT);
    for (const std::int64_t extent : shape) {
      auto& dimension = *type.mutable_shape()->add_dim();
      if (extent > 0) {
        dimension.set_dim_value(extent);
      } else {
        dimension.set_dim_param("n");
      }
    }
  }
  static void fill(onnx::TensorProto& tensor, const std::string& name, const std::vector<std::int64_t>& shape,
                   const std::vector<float>& values) {
    tensor.set_name(name);
    tensor.set_data_type(onnx::TensorProto::FLOAT);
    tensor.mutable_dims()->Add(shape.begin(), shape.end());
    tensor.mutable_float_data()->Add(values.begin(), values.end());
  }
  onnx::AttributeProto& attribute(const std::string& name, onnx::AttributeProto::AttributeType type) {
    auto& added = *node_->add_attribute();
    added.set_name(name);
    added.set_type(type);
    return added;
  }

  onnx::ModelProto model_;
  onnx::NodeProto* node_ = nullptr;
};

}  // namespace vaeguard::importers
