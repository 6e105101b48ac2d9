// The words of a report, in one place, so that tables, charts and glossary agree.
#include "vaeguard/reports/words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "vaeguard/metrics/catalogue.h"

namespace vaeguard::reports {
namespace {

struct Presentation {
  std::string_view name;
  std::string_view title;
  int digits;
  std::string_view explanation;
};

/// In the order of the summary's columns. Direction and kind of interval are the catalogue's.
constexpr std::array kMetrics = {
    Presentation{"ms_ssim_kuzina22", "MS-SSIM (paper)", 2,
                 "Similarity of the reconstructions of the reference and of the attacked image, from 0 (unlike) to 1 "
                 "(equal), over five scales. Computed like the paper's numbers, with their 14-pixel window and "
                 "luminance exponent, to be comparable with them."},
    Presentation{
        "ms_ssim_wang03", "MS-SSIM (Wang)", 2,
        "The same similarity by the definition of Wang, Simoncelli and Bovik (2003). Prefer it for any comparison "
        "except with the paper."},
    Presentation{
        "agreement", "Agreement", 2,
        "Share of attacked images that keep the class which the undefended classifier gave the clean image. The "
        "paper calls it adversarial accuracy."},
    Presentation{"label_accuracy", "Label accuracy", 2,
                 "Share of images that get their true class. On clean images it shows the cost of a defence."},
    Presentation{"log_posterior_ratio", "Log posterior ratio", 1,
                 "log p(z of the reference | reference) − log p(z | reference), in nats: how much less probable the "
                 "code in use is, for the clean image, than that image's own code. Below 0 it is more probable."},
    Presentation{
        "mse255", "MSE", 0,
        "Mean squared difference between the clean image and the reconstruction, in grey levels from 0 to 255."},
    Presentation{"latent_distance", "Latent distance", 2,
                 "Euclidean distance between the latent code in use and that of the clean image."},
    Presentation{
        "skl", "Symmetric KL", 1,
        "Symmetric Kullback–Leibler divergence between the encodings of the clean and of the attacked image, in "
        "nats: what the encoder attack maximises."},
    Presentation{"input_ms_ssim_kuzina22", "MS-SSIM of the inputs", 2,
                 "Similarity of the attacked image itself to the clean one: how visible the attack is."},
    Presentation{
        "acceptance", "Acceptance", 2,
        "Share of a chain's proposals that were accepted once its step size was fixed. Near 0 a chain is stuck."},
    Presentation{"step_size", "Step size", 4, "Leapfrog step of a chain. Every image has its own."},
    Presentation{"divergences", "Divergences", 0,
                 "Proposals whose energy was not finite or far too high; they are counted and rejected."},
    Presentation{"energy_drop", "Energy drop", 1, "Energy at a chain's start minus energy at its end, in nats."},
    Presentation{"radius_found", "Radius found", 3,
                 "Radius of the ball or channel that a robust defence used for the image; 0 if it saw no attack."},
    Presentation{"touched", "Touched", 2, "Share of the pixels that the channel takes for changed."},
    Presentation{"encoder_shift", "Shift", 2,
                 "Euclidean distance between the defended code and the encoder's code of the same image."},
    Presentation{"auroc", "AUROC", 3,
                 "How often an attacked image scores above a clean one: 0.5 is chance, 1 is perfect."},
    Presentation{"true_positives_at_1_percent", "Caught at 1 %", 2,
                 "Share of attacked images that are flagged where 1 % of the clean ones are."},
    Presentation{"rhat", "R-hat", 3,
                 "Rank-normalised split R-hat of an image's draws, the worst coordinate's: above 1.01 its chains "
                 "still depend on where they began."},
    Presentation{"bulk_ess", "ESS, bulk", 0,
                 "Effective sample size of an image's draws, the worst coordinate's: the number of independent draws "
                 "that would be as informative about the middle."},
    Presentation{"tail_ess", "ESS, tails", 0, "The same for the 5 % and 95 % quantiles."},
    Presentation{"relative_mcse", "Error of the mean", 2,
                 "Monte Carlo standard error of the mean code in posterior deviations, the worst coordinate's."},
    Presentation{"e_bfmi", "E-BFMI", 2,
                 "Energy Bayesian fraction of missing information: below 0.3 momentum draws explore the energy "
                 "poorly."},
    Presentation{"gradients_spent", "Gradients spent", 0,
                 "Decoder gradients that an image's chains took, warm-up included."},
    Presentation{"draws_kept", "Draws", 0, "Draws of an image's chains that enter its estimates."},
    Presentation{"reconstruction_error", "Error of the mean image", 2,
                 "Monte Carlo standard error of the mean over draws of the reconstruction: the root of its mean square "
                 "over pixels, on the scale 0 to 255."},
    Presentation{"brier_score", "Brier score", 2,
                 "Squared distance between the class probabilities and the true class, from 0 to 2: small if they "
                 "are both sharp and right."},
    Presentation{"negative_log_score", "Log score", 2, "−log of the probability given to the true class, in nats."},
    Presentation{"calibration_error", "Calibration error", 2,
                 "Mean distance between confidence and accuracy over bins of equal confidence: 0 if 80 % of the images "
                 "with 80 % confidence are right, and so on. Chance alone makes it positive."},
    Presentation{"probability_error", "Error of the probability", 3,
                 "Monte Carlo standard error of the most probable class's probability."},
    Presentation{"smallest_radius", "Smallest radius", 4,
                 "The smallest radius at which the attack succeeds on an image, by bisection. It is an upper bound, "
                 "since another attack may need less."},
    Presentation{"radius_reached", "Reached", 2,
                 "Share of images on which the attack succeeds at the largest radius that was tried."},
    Presentation{"success_distance", "Distance for success", 2,
                 "How far, in Euclidean distance, the reconstruction must move for an attack to have succeeded."},
    Presentation{"success_draws", "Draws for success", 0,
                 "Number of drawn codes, most of which must succeed for an attack to have succeeded."},
    Presentation{"auddc", "AUDDC", 3,
                 "Area under the distortion-distortion curve, of the distance to a target that an attack leaves over "
                 "all amounts of change. 1 if attacks achieve nothing, 0 if they cost nothing."},
    Presentation{"remaining_distance", "Distance left", 2,
                 "Distance to the target that is left, as a share of that without an attack, once the image has moved "
                 "by a share of the Euclidean distance to the target image."},
    Presentation{"elbo", "ELBO", 2, "Evidence lower bound of the test images, in nats; higher is better."},
    Presentation{"reconstruction", "Reconstruction", 2, "−E log p(x|z) of the test images, in nats."},
    Presentation{"divergence", "KL to the prior", 2, "KL(q(z|x) ‖ p(z)) of the test images, in nats."},
    Presentation{"nll", "NLL", 2, "Negative log-likelihood of test images by importance weighting, in nats."},
    Presentation{"bits_per_dimension", "Bits per dimension", 3, "The NLL in bits per pixel and channel."},
    Presentation{
        "frechet_classifier_64", "Fréchet distance", 2,
        "Between the prior's mean images and test images, in the 64 features of a small classifier of the data "
        "set: a proxy for FID, not comparable to it."},
    Presentation{"fid_64", "FID, 64 features", 2,
                 "Fréchet distance between the prior's mean images and test images in the 64 features of Inception's "
                 "first pooling, as the paper prints."},
    Presentation{"fid_192", "FID, 192 features", 2, "The same in the features of Inception's second pooling."},
    Presentation{"fid_768", "FID, 768 features", 2, "The same in the features before Inception's auxiliary head."},
    Presentation{"fid_2048", "FID", 2,
                 "Fréchet distance between the prior's mean images and test images in the 2048 features of Inception's "
                 "last pooling."},
    Presentation{"classifier_accuracy", "Classifier accuracy", 3,
                 "Share of test images whose latent mean the linear classifier assigns to the right class."},
};

struct NameWords {
  std::string_view name;
  std::string_view words;
  std::string_view explanation;
};

constexpr std::array kAttacks = {
    NameWords{"clean", "No attack", "The reference images, unchanged."},
    NameWords{"noise", "Random noise", "Random points of the ball, which any attack must beat."},
    NameWords{"encoder_skl", "Encoder attack",
              "Moves the encoding as far as it can, in symmetric Kullback–Leibler divergence, without using labels."},
    NameWords{"classifier_ce", "Classifier attack",
              "Raises the cross-entropy of the latent classifier against its own prediction on the clean image."},
    NameWords{"encoder_kl_forward", "Encoder attack, forward KL",
              "The same, by the KL divergence of the clean from the attacked encoding."},
    NameWords{"encoder_kl_reverse", "Encoder attack, reverse KL",
              "The same, by the KL divergence of the attacked from the clean encoding."},
    NameWords{"encoder_means", "Encoder attack, means", "Moves the mean of the encoding as far as it can."},
    NameWords{"encoder_wasserstein", "Encoder attack, Wasserstein",
              "Moves the encoding far in 2-Wasserstein distance."},
    NameWords{"latent_kl", "Latent-space attack", "Moves the encoding to that of a target image, by KL divergence."},
    NameWords{"latent_kl_forward", "Latent-space attack, forward KL",
              "The same, by the KL divergence of the target's encoding."},
    NameWords{"latent_means", "Latent-space attack, means", "Moves the mean of the encoding to a target's."},
    NameWords{"latent_wasserstein", "Latent-space attack, Wasserstein", "The same, by 2-Wasserstein distance."},
    NameWords{"latent_skl", "Latent-space attack, symmetric", "The same, by symmetric KL divergence."},
    NameWords{"classifier_margin", "Classifier attack, margin",
              "Raises the logit of the best other class above that of the predicted one."},
    NameWords{"classifier_dlr", "Classifier attack, DLR", "The same margin, independent of the logits' scale."},
    NameWords{"classifier_ce_target", "Classifier attack, targeted",
              "Raises the probability of a target image's class."},
    NameWords{"classifier_margin_target", "Classifier attack, targeted margin",
              "The same, by the margin of that class."},
    NameWords{"classifier_dlr_target", "Classifier attack, targeted DLR",
              "That margin, independent of the logits' scale."},
    NameWords{"maximum_damage", "Maximum damage", "Moves the reconstruction as far as it can."},
    NameWords{"output_target", "Output attack", "Makes a target image likely under the reconstruction."},
    NameWords{"output_target_l2", "Output attack, L2", "Moves the reconstruction to a target image."},
};

constexpr std::array kDefences = {
    NameWords{"none", "None", "The encoder's mean, as the model would use it."},
    NameWords{"hmc", "HMC",
              "Samples the posterior of the given image by Hamiltonian Monte Carlo; warm-up ends before draws count."},
    NameWords{"hmc_short", "Short HMC", "A few draws of the posterior around its mode."},
    NameWords{"hmc_multistart", "Multistart HMC",
              "Short HMC from the most probable of sixteen codes around the given one."},
    NameWords{"hmc_published", "HMC as published",
              "The paper's settings: the step size is adapted to the end, and the last state is the estimate."},
    NameWords{"generalised_hmc", "Generalised HMC", "HMC that keeps part of its momentum, one step at a time."},
    NameWords{"mala", "MALA", "Metropolis-adjusted Langevin, one gradient per transition."},
    NameWords{"dynamic", "Dynamic HMC", "HMC whose trajectories run until they turn back."},
    NameWords{"langevin", "Biased Langevin", "Unadjusted Langevin, kept for comparison: its draws are biased."},
    NameWords{"map", "MAP", "The most probable latent code of the given image, by optimisation."},
    NameWords{"map_multistart", "Multistart MAP",
              "The same from the most probable of sixteen codes around the given one."},
    NameWords{"hmc_robust", "Robust HMC", "HMC on the posterior of the best image within the attacker's radius."},
    NameWords{"map_robust", "Robust MAP", "MAP on the posterior of the best image within the attacker's radius."},
    NameWords{"hmc_channel", "Channel HMC", "HMC on the posterior under a model of what the attack did to each pixel."},
    NameWords{"map_channel", "Channel MAP", "MAP on the posterior under a model of what the attack did to each pixel."},
    NameWords{"map_directed", "Directed MAP",
              "Channel MAP that also estimates in which direction the attack moved each pixel."},
    NameWords{"map_lbfgs", "MAP by L-BFGS", "The same mode by a quasi-Newton method."},
    NameWords{"repair", "Repair", "Alternates encoder and pixel law, without gradients."},
    NameWords{"repair_directed", "Directed repair",
              "Repair that also estimates in which direction the attack moved each pixel."},
    NameWords{"threshold", "Threshold", "Pixels are set to black or white before the encoder."},
    NameWords{"snap", "Snap", "Pixels near black or white are set to it before the encoder."},
    NameWords{"snap_map", "Snap and MAP", "Snap, then the most probable latent code of the result."},
    NameWords{"median", "Median", "A median filter before the encoder."},
    NameWords{"bit_depth", "Bit depth", "Fewer grey levels before the encoder."},
    NameWords{"jpeg", "JPEG", "JPEG compression before the encoder."},
    NameWords{"gaussian_blur", "Blur", "A Gaussian blur before the encoder."},
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

template <std::size_t N>
std::string explanation_of(const std::array<NameWords, N>& known, std::string_view name) {
  const NameWords* found = find(known, name);
  return std::string(found != nullptr ? found->explanation : "");
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
  if (const auto known = std::ranges::find(kMetrics, name, &Presentation::name); known != kMetrics.end()) {
    words.title = known->title;
    words.digits = known->digits;
    words.explanation = known->explanation;
  }
  const auto& catalogue = metrics::catalogue();
  if (const auto entry = std::ranges::find(catalogue, name, &metrics::MetricEntry::name); entry != catalogue.end()) {
    words.better = entry->higher_is_better ? Better::higher : Better::lower;
    words.proportion = entry->proportion;
  }
  words.within_unit = words.proportion || name.find("ms_ssim") != std::string_view::npos;
  return words;
}

std::vector<std::string> known_metrics() {
  std::vector<std::string> names;
  for (const Presentation& metric : kMetrics) {
    names.emplace_back(metric.name);
  }
  return names;
}

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
  constexpr std::array kModels = {NameWords{"vae", "VAE", ""},
                                  NameWords{"se_01", "SE, radius 0.1", ""},
                                  NameWords{"se_02", "SE, radius 0.2", ""},
                                  NameWords{"avae", "AVAE", ""},
                                  NameWords{"se_01_avae", "SE 0.1-AVAE", ""},
                                  NameWords{"se_02_avae", "SE 0.2-AVAE", ""},
                                  NameWords{"avae_ss", "AVAE-SS", ""},
                                  NameWords{"vae_gaussian", "VAE, Gaussian", ""},
                                  NameWords{"avae_gaussian", "AVAE, Gaussian", ""},
                                  NameWords{"realnvp_vae", "VAE, RealNVP prior", ""}};
  for (const auto& [stem, words] : {std::pair("beta_vae_", "β-VAE"), {"beta_tcvae_", "β-TCVAE"}}) {
    if (name.starts_with(stem)) {
      return fmt::format("{}, β = {}", words, name.substr(std::string_view(stem).size()));
    }
  }
  return words_of(kModels, name);
}

std::string attack_words(std::string_view name) { return words_of(kAttacks, name); }
std::string attack_explanation(std::string_view name) { return explanation_of(kAttacks, name); }
std::string defence_words(std::string_view name) { return words_of(kDefences, name); }
std::string defence_explanation(std::string_view name) { return explanation_of(kDefences, name); }

std::string norm_words(std::string_view name) {
  constexpr std::array kNorms = {NameWords{"linf", "L∞", ""}, NameWords{"l2", "L2", ""}, NameWords{"l1", "L1", ""},
                                 NameWords{"l2_share", "L2 share", ""}, NameWords{"none", "", ""}};
  return words_of(kNorms, name);
}

std::string aggregation_words(std::string_view name) {
  constexpr std::array kAggregations = {NameWords{"draw", "one draw", ""},
                                        NameWords{"mean", "mean over draws", ""},
                                        NameWords{"vote", "vote of draws", ""},
                                        NameWords{"reencoded", "repaired image, re-encoded", ""},
                                        NameWords{"energy_drop", "detection by energy drop", ""},
                                        NameWords{"touched", "detection by touched pixels", ""},
                                        NameWords{"encoder_shift", "detection by shift of the code", ""}};
  return words_of(kAggregations, name);
}

std::string restarts_words(std::string_view name) {
  constexpr std::array kRestarts = {NameWords{"mean", "mean", ""}, NameWords{"worst", "worst case", ""}};
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
