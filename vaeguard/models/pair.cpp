// The passes of a pair, its prior included.
#include "vaeguard/models/pair.h"

#include <algorithm>
#include <utility>

#include "vaeguard/base/error.h"

namespace vaeguard::models {
namespace {

constexpr const char* kPlace = "models.pair";

LatentLayout one_group(ImageShape latents) { return {.groups = {{"z", latents}}}; }

class PairRecognition : public Recognition {
 public:
  PairRecognition(std::shared_ptr<const networks::DifferentiableFunction> encoder, ImageShape image, ImageShape latents)
      : encoder_(std::move(encoder)), image_(image), latents_(one_group(latents)) {
    const std::int64_t values = latents_.size();
    if (encoder_->input_size() != image_.size() || encoder_->output_size() != 2 * values) {
      misuse(kPlace,
             "an encoder must take {} pixels and give means and log-variances of {} latents; it takes {} and gives {}",
             image_.size(), values, encoder_->input_size(), encoder_->output_size());
    }
  }
  [[nodiscard]] ImageShape image() const override { return image_; }
  [[nodiscard]] const LatentLayout& latents() const override { return latents_; }
  [[nodiscard]] std::string_view backend() const override { return encoder_->backend(); }
  [[nodiscard]] std::unique_ptr<networks::Tape> make_tape() const override { return encoder_->make_tape(); }
  void forward(const Matrix& images, std::int64_t groups, Matrix& outputs, networks::Tape& tape) const override {
    if (groups != 1) {
      misuse(kPlace, "there is 1 group of latents, {} were asked for", groups);
    }
    encoder_->forward(images, outputs, tape);
  }
  void backward(const Matrix& output_gradients, Matrix& image_gradients, networks::Tape& tape) const override {
    encoder_->backward(output_gradients, image_gradients, tape);
  }
  void tangent(const Matrix& image_tangents, Matrix& output_tangents, networks::Tape& tape) const override {
    encoder_->tangent(image_tangents, output_tangents, tape);
  }

 private:
  std::shared_ptr<const networks::DifferentiableFunction> encoder_;
  ImageShape image_;
  LatentLayout latents_;
};

class GenerativeTape : public networks::Tape {
 public:
  explicit GenerativeTape(std::unique_ptr<networks::Tape> of_decoder) : decoder(std::move(of_decoder)) {}
  std::unique_ptr<networks::Tape> decoder;
  PriorTape prior;
  bool with_prior = false;
};

class PairGenerative : public Generative {
 public:
  PairGenerative(std::shared_ptr<const networks::DifferentiableFunction> decoder, std::shared_ptr<const Prior> prior,
                 ImageShape image, ImageShape latents, const Likelihood& likelihood)
      : decoder_(std::move(decoder)),
        prior_(std::move(prior)),
        latents_(one_group(latents)),
        image_(image),
        likelihood_(likelihood) {
    if (decoder_->input_size() != latents_.size() || decoder_->output_size() != image_.size()) {
      misuse(kPlace, "a decoder must take {} latents and give {} pixels; it takes {} and gives {}", latents_.size(),
             image_.size(), decoder_->input_size(), decoder_->output_size());
    }
  }
  [[nodiscard]] ImageShape image() const override { return image_; }
  [[nodiscard]] const LatentLayout& latents() const override { return latents_; }
  [[nodiscard]] const Likelihood& likelihood() const override { return likelihood_; }
  [[nodiscard]] std::string_view backend() const override { return decoder_->backend(); }
  [[nodiscard]] std::unique_ptr<networks::Tape> make_tape() const override {
    return std::make_unique<GenerativeTape>(decoder_->make_tape());
  }
  void forward(const Matrix& codes, Matrix& parameters, std::span<double> prior_energies,
               networks::Tape& tape) const override {
    auto& own = dynamic_cast<GenerativeTape&>(tape);
    decoder_->forward(codes, parameters, *own.decoder);
    own.with_prior = !prior_energies.empty();
    if (own.with_prior) {
      prior_->forward(codes, own.prior);
      for (std::size_t b = 0; b < prior_energies.size(); ++b) {
        prior_energies[b] = own.prior.energy(static_cast<std::int64_t>(b));
      }
    }
  }
  void backward(const Matrix& parameter_gradients, Matrix& code_gradients, networks::Tape& tape) const override {
    auto& own = dynamic_cast<GenerativeTape&>(tape);
    decoder_->backward(parameter_gradients, code_gradients, *own.decoder);
    if (own.with_prior) {
      prior_->backward(own.prior);
      std::ranges::transform(code_gradients.flat(), own.prior.gradient, code_gradients.flat().begin(),
                             [](float sum, double more) { return sum + static_cast<float>(more); });
    }
  }
  void tangent(const Matrix& code_tangents, Matrix& parameter_tangents, networks::Tape& tape) const override {
    decoder_->tangent(code_tangents, parameter_tangents, *dynamic_cast<GenerativeTape&>(tape).decoder);
  }
  [[nodiscard]] Matrix draw(const Matrix& base, int threads) const override { return prior_->from_base(base, threads); }

 private:
  std::shared_ptr<const networks::DifferentiableFunction> decoder_;
  std::shared_ptr<const Prior> prior_;
  LatentLayout latents_;
  ImageShape image_;
  Likelihood likelihood_;
};

}  // namespace

std::shared_ptr<const Recognition> pair_recognition(std::shared_ptr<const networks::DifferentiableFunction> encoder,
                                                    ImageShape image, ImageShape latents) {
  return std::make_shared<const PairRecognition>(std::move(encoder), image, latents);
}

std::shared_ptr<const Generative> pair_generative(std::shared_ptr<const networks::DifferentiableFunction> decoder,
                                                  std::shared_ptr<const Prior> prior, ImageShape image,
                                                  ImageShape latents, const Likelihood& likelihood) {
  return std::make_shared<const PairGenerative>(std::move(decoder), std::move(prior), image, latents, likelihood);
}

}  // namespace vaeguard::models
