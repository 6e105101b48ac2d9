// The list of metrics.
#include "vaeguard/metrics/catalogue.h"

#include <algorithm>

#include "vaeguard/base/text.h"

namespace vaeguard::metrics {

const std::vector<MetricEntry>& catalogue() {
  static const std::vector<MetricEntry> entries{
      {"ms_ssim_kuzina22",
       "similarity of the reconstructions of the clean and of the attacked image, as the paper computes it", true,
       false},
      {"ms_ssim_wang03", "the same similarity by Wang's definition of 2003", true, false},
      {"agreement", "the attacked image's class equals the undefended prediction for the clean one", true, true},
      {"label_accuracy", "the attacked image's class equals the true label", true, true},
      {"mse255", "mean squared difference between the reconstruction and the clean image, pixels from 0 to 255", false,
       false},
      {"latent_distance", "Euclidean distance between the latent code and the clean image's", false, false},
      {"log_posterior_ratio",
       "log p(z_ref|x_ref) - log p(z|x_ref) in nats (eq. 11); 0 if the code is as probable as the clean one", false,
       false},
      {"skl", "symmetric KL divergence between the encodings of the clean and of the attacked image, nats", false,
       false},
      {"input_ms_ssim_kuzina22", "similarity of the attacked image itself to the clean one", true, false},
      {"acceptance", "mean acceptance probability of a chain's counted transitions", true, false},
      {"step_size", "a chain's leapfrog step size at the end", true, false},
      {"divergences", "divergent transitions of a chain", false, false},
      {"energy_drop", "energy at the chain's start minus energy at its end, nats", true, false},
      {"radius_found", "radius that a robust defence used for the image, 0 if it saw no attack", true, false},
      {"touched", "share of an image's pixels that the channel takes for changed", false, false},
      {"encoder_shift", "Euclidean distance between the defended code and the encoder's for the same image", false,
       false},
      {"auroc", "how often an attacked image's score is above a clean one's; the protocol names the score", true, true},
      {"true_positives_at_1_percent", "attacked images that a score flags where it flags 1 % of the clean ones", true,
       true},
      {"rhat", "rank-normalised split R-hat of an image's kept draws, the worst latent coordinate's", false, false},
      {"bulk_ess", "effective sample size of the middle of an image's kept draws, the worst coordinate's", true, false},
      {"tail_ess", "effective sample size of the tails of an image's kept draws, the worst coordinate's", true, false},
      {"relative_mcse", "Monte Carlo standard error of the mean code, in posterior deviations, the worst coordinate's",
       false, false},
      {"reconstruction_error", "Monte Carlo standard error of the mean image, root mean square over pixels, 0 to 255",
       false, false},
      {"e_bfmi", "energy Bayesian fraction of missing information, the smallest of an image's chains", true, false},
      {"gradients_spent", "decoder gradients that an image's chains took, warm-up included", false, false},
      {"draws_kept", "draws of an image's chains that its estimates are made of", true, false},
      {"brier_score", "squared distance between the class probabilities and the true class (Brier 1950)", false, false},
      {"negative_log_score", "-log of the probability given to the true class, nats", false, false},
      {"calibration_error", "mean distance between confidence and accuracy over bins of equal size", false, false},
      {"probability_error", "Monte Carlo standard error of the most probable class's probability", false, false},
      {"smallest_radius", "radius of the smallest attack that succeeds, infinite if even the largest does not", true,
       false},
      {"radius_reached", "the attack succeeds at least at the largest radius", false, true},
      {"success_distance", "how far the reconstruction must move for success, Euclidean, pixels from 0 to 1", true,
       false},
      {"success_draws", "number of drawn codes, most of which must succeed; absent if the mean code decides", false,
       false},
      {"auddc", "area under the distortion-distortion curve, 1 if attacks achieve nothing", true, false},
      {"remaining_distance",
       "share of the distance to the target that is left once the image has changed by a given share", true, false},
      {"elbo", "evidence lower bound of the test images, nats", true, false},
      {"reconstruction", "-E log p(x|z) of the test images, nats", false, false},
      {"divergence", "KL(q(z|x)|p(z)) of the test images, nats", false, false},
      {"nll", "importance-weighted negative log-likelihood of test images, nats", false, false},
      {"bits_per_dimension", "the same in bits per pixel and channel", false, false},
      {"frechet_classifier_64",
       "Frechet distance of prior samples to test images in 64 features of a small classifier of the data set: a proxy",
       false, false},
      {"fid_64", "Frechet distance of prior samples to test images in 64 features of Inception (first pooling)", false,
       false},
      {"fid_192", "the same in 192 features (second pooling)", false, false},
      {"fid_768", "the same in 768 features (before the auxiliary head)", false, false},
      {"fid_2048", "the same in 2048 features (last pooling): FID as usually reported", false, false},
      {"classifier_accuracy", "accuracy of the linear classifier on latent means of the test images", true, true},
  };
  return entries;
}

const MetricEntry& find_metric(std::string_view name) {
  const auto entry = std::ranges::find(catalogue(), name, &MetricEntry::name);
  if (entry != catalogue().end()) {
    return *entry;
  }
  std::vector<std::string> known;
  for (const MetricEntry& e : catalogue()) {
    known.emplace_back(e.name);
  }
  unknown_name("metrics.catalogue", "metric", name, known);
}

}  // namespace vaeguard::metrics
