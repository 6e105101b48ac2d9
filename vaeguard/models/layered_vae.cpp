// Layer graphs as the two halves of a VAE.
#include "vaeguard/models/layered_vae.h"

#include <algorithm>
#include <utility>

#include "vaeguard/base/error.h"

namespace vaeguard::models {
namespace {

class LayeredRecognition : public Recognition {
 public:
  explicit LayeredRecognition(std::shared_ptr<const networks::Network> encoder)
      : encoder_(std::move(encoder)), latents_(LatentLayout::single(encoder_->graph().output_size() / 2)) {}
  [[nodiscard]] ImageShape image() const override { return encoder_->graph().input(); }
  [[nodiscard]] const LatentLayout& latents() const override { return latents_; }
  [[nodiscard]] std::string_view backend() const override { return encoder_->backend(); }
  [[nodiscard]] std::unique_ptr<networks::Tape> make_tape() const override { return encoder_->make_tape(); }
  void forward(const Matrix& images, std::int64_t groups, Matrix& outputs, networks::Tape& tape) const override {
    if (groups != 1) {
      misuse("models.layered_vae", "there is 1 group of latents, {} were asked for", groups);
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
  std::shared_ptr<const networks::Network> encoder_;
  LatentLayout latents_;
};

class GenerativeTape : public networks::Tape {
 public:
  explicit GenerativeTape(std::unique_ptr<networks::Tape> of_decoder) : decoder(std::move(of_decoder)) {}
  std::unique_ptr<networks::Tape> decoder;
  PriorTape prior;
  bool with_prior = false;
};

class LayeredGenerative : public Generative {
 public:
  LayeredGenerative(std::shared_ptr<const networks::Network> decoder, std::shared_ptr<const Prior> prior,
                    ImageShape image, const Likelihood& likelihood)
      : decoder_(std::move(decoder)),
        prior_(std::move(prior)),
        latents_(LatentLayout::single(decoder_->graph().input_size())),
        image_(image),
        likelihood_(likelihood) {}
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
  std::shared_ptr<const networks::Network> decoder_;
  std::shared_ptr<const Prior> prior_;
  LatentLayout latents_;
  ImageShape image_;
  Likelihood likelihood_;
};

}  // namespace

LayeredVae::LayeredVae(VaeWeights weights, std::string_view backend, networks::Precision gradients)
    : weights_(std::move(weights)),
      prior_(std::make_shared<const Prior>(weights_.prior, backend)),
      encoder_(networks::compile(weights_.encoder, backend)),
      decoder_(networks::compile(weights_.decoder, backend)),
      gradient_decoder_(decoder_) {
  const std::int64_t latents = weights_.latent_size();
  const std::int64_t encoded = weights_.encoder.output_size();
  const std::int64_t decoded = weights_.decoder.output_size();
  if (encoded != 2 * latents || decoded != weights_.image().size()) {
    misuse("models.layered_vae",
           "encoder must give twice the decoder's {} latents, got {}; decoder must give {} pixels, got {}", latents,
           encoded, weights_.image().size(), decoded);
  }
  validate(weights_.prior, latents, "models.layered_vae");
  if (gradients != networks::Precision::float32) {
    const networks::Backend& chosen = networks::select_backend(backend, weights_.decoder);
    refusal_ = chosen.unsupported(weights_.decoder, gradients);
    if (refusal_.empty()) {
      gradient_decoder_ = chosen.compile(weights_.decoder, gradients);
    }
  }
}

std::shared_ptr<const Recognition> LayeredVae::recognition() const {
  return std::make_shared<const LayeredRecognition>(encoder_);
}

std::shared_ptr<const Generative> LayeredVae::generative() const {
  return std::make_shared<const LayeredGenerative>(decoder_, prior_, weights_.image(), weights_.likelihood);
}

std::shared_ptr<const Generative> LayeredVae::gradient_generative() const {
  return gradient_decoder_ == decoder_ ? nullptr
                                       : std::make_shared<const LayeredGenerative>(
                                             gradient_decoder_, prior_, weights_.image(), weights_.likelihood);
}

}  // namespace vaeguard::models
