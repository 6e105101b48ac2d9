// The list of metrics.
#include "vaeguard/metrics/catalogue.h"

namespace vaeguard::metrics {
namespace {

constexpr bool kHigher = true;
constexpr bool kLower = false;

// In the order of the columns of tables.
std::vector<MetricEntry> entries() {
  const Range any = any_number();
  const Range not_negative = at_least(0.0);
  const Range share = from_to(0.0, 1.0);
  return {
      {"ms_ssim_kuzina22", "MS-SSIM (paper)",
       "Similarity of the reconstructions of the reference and of the attacked image, from 0 (unlike) to 1 (equal), "
       "over five scales. Computed like the paper's numbers, with their 14-pixel window and luminance exponent, to be "
       "comparable with them.",
       2, kHigher, share},
      {"ms_ssim_wang03", "MS-SSIM (Wang)",
       "Similarity of the same two reconstructions by the definition of Wang, Simoncelli and Bovik (2003). Prefer it "
       "for any comparison except with the paper.",
       2, kHigher, share},
      {"agreement", "Agreement",
       "Share of attacked images that keep the class which the undefended classifier gave the clean image. The paper "
       "calls it adversarial accuracy.",
       2, kHigher, share, true},
      {"label_accuracy", "Label accuracy",
       "Share of images that get their true class. On clean images it shows the cost of a defence.", 2, kHigher, share,
       true},
      {"log_posterior_ratio", "Log posterior ratio",
       "log p(z of the reference | reference) − log p(z | reference), in nats (eq. 11): how much less probable the "
       "code in use is, for the clean image, than that image's own code. Below 0 it is more probable.",
       1, kLower, any},
      {"mse255", "MSE",
       "Mean squared difference between the clean image and the reconstruction, in grey levels from 0 to 255.", 0,
       kLower, not_negative},
      {"latent_distance", "Latent distance",
       "Euclidean distance between the latent code in use and that of the clean image.", 2, kLower, not_negative},
      {"skl", "Symmetric KL",
       "Symmetric Kullback–Leibler divergence between the encodings of the clean and of the attacked image, in nats: "
       "what the encoder attack maximises.",
       1, kLower, not_negative},
      {"input_ms_ssim_kuzina22", "MS-SSIM of the inputs",
       "Similarity of the attacked image itself to the clean one: how visible the attack is.", 2, kHigher, share},
      {"acceptance", "Acceptance",
       "Mean acceptance probability of a chain's counted transitions. Near 0 a chain is stuck.", 2, kHigher, share},
      {"step_size", "Step size", "Leapfrog step of a chain at its end. Every image has its own.", 4, kHigher,
       not_negative},
      {"divergences", "Divergences",
       "Proposals whose energy was not finite or far too high; they are counted and rejected.", 0, kLower,
       not_negative},
      {"energy_drop", "Energy drop", "Energy at a chain's start minus energy at its end, in nats.", 1, kHigher, any},
      {"radius_found", "Radius found",
       "Radius of the ball or channel that a robust defence used for the image; 0 if it saw no attack.", 3, kHigher,
       not_negative},
      {"touched", "Touched pixels", "Share of the pixels that the channel takes for changed.", 2, kLower, share},
      {"noise_scale", "Noise scale",
       "Standard deviation of a pixel's noise under which a defence read the image, in units of the pixel range.", 2,
       kLower, not_negative},
      {"encoder_shift", "Shift of the code",
       "Euclidean distance between the defended code and the encoder's code of the same image.", 2, kLower,
       not_negative},
      {"auroc", "AUROC",
       "How often an attacked image scores above a clean one: 0.5 is chance, 1 is perfect. The column `score` names "
       "the score.",
       3, kHigher, share, true},
      {"true_positives_at_1_percent", "Caught at 1 %",
       "Share of attacked images that are flagged where 1 % of the clean ones are.", 2, kHigher, share, true},
      {"rhat", "R-hat",
       "Rank-normalised split R-hat of an image's draws, the worst coordinate's: 1 once its chains have forgotten "
       "where they began. The notes on chains say when it is too large.",
       3, kLower, not_negative},
      {"bulk_ess", "ESS, bulk",
       "Effective sample size of an image's draws, the worst coordinate's: the number of independent draws that would "
       "be as informative about the middle.",
       0, kHigher, not_negative},
      {"tail_ess", "ESS, tails",
       "Effective sample size of an image's draws, the worst coordinate's, for the 5 % and 95 % quantiles.", 0, kHigher,
       not_negative},
      {"relative_mcse", "Error of the mean",
       "Monte Carlo standard error of the mean code, in posterior deviations, the worst coordinate's.", 2, kLower,
       not_negative},
      {"e_bfmi", "E-BFMI",
       "Energy Bayesian fraction of missing information, the smallest of an image's chains: near 0 if momentum draws "
       "explore the energy poorly. The notes on chains say when it is too small.",
       2, kHigher, not_negative},
      {"gradients_spent", "Gradients spent", "Decoder gradients that an image's chains took, warm-up included.", 0,
       kLower, not_negative},
      {"draws_kept", "Draws", "Draws of an image's chains that enter its estimates.", 0, kHigher, not_negative},
      {"reconstruction_error", "Error of the mean image",
       "Monte Carlo standard error of the mean over draws of the reconstruction: the root of its mean square over "
       "pixels, on the scale 0 to 255.",
       2, kLower, not_negative},
      {"brier_score", "Brier score",
       "Squared distance between the class probabilities and the true class (Brier 1950), from 0 to 2: small if they "
       "are both sharp and right.",
       2, kLower, from_to(0.0, 2.0)},
      {"negative_log_score", "Log score", "−log of the probability given to the true class, in nats.", 2, kLower,
       not_negative},
      {"calibration_error", "Calibration error",
       "Mean distance between confidence and accuracy over bins of equal confidence: 0 if 80 % of the images with 80 % "
       "confidence are right, and so on. Chance alone makes it positive.",
       2, kLower, share},
      {"probability_error", "Error of the probability",
       "Monte Carlo standard error of the most probable class's probability.", 3, kLower, not_negative},
      {"smallest_radius", "Smallest radius",
       "The smallest radius at which the attack succeeds on an image, by bisection; infinite if even the largest does "
       "not. It is an upper bound, since another attack may need less.",
       4, kHigher, not_negative},
      {"radius_reached", "Reached",
       "Share of images on which the attack succeeds at the largest radius that was tried.", 2, kLower, share, true},
      {"success_distance", "Distance for success",
       "How far the reconstruction must move for an attack to have succeeded, in Euclidean distance of pixels from 0 "
       "to 1.",
       2, kHigher, not_negative},
      {"success_draws", "Draws for success",
       "Number of drawn codes, most of which must succeed for an attack to have succeeded. Absent if the mean code "
       "decides.",
       0, kLower, not_negative},
      {"auddc", "AUDDC",
       "Area under the distortion-distortion curve, of the distance to a target that an attack leaves over all amounts "
       "of change. 1 if attacks achieve nothing, 0 if they cost nothing.",
       3, kHigher, not_negative},
      {"remaining_distance", "Distance left",
       "Distance to the target that is left, as a share of that without an attack, once the image has moved by a share "
       "of the Euclidean distance to the target image.",
       2, kHigher, not_negative},
      {"elbo", "ELBO", "Evidence lower bound of the test images, in nats.", 2, kHigher, any},
      {"reconstruction", "Reconstruction", "−E log p(x|z) of the test images, in nats.", 2, kLower, any},
      {"divergence", "KL to the prior", "KL(q(z|x) ‖ p(z)) of the test images, in nats.", 2, kLower, not_negative},
      {"nll", "NLL", "Negative log-likelihood of test images by importance weighting, in nats.", 2, kLower, any},
      {"bits_per_dimension", "Bits per dimension",
       "Negative log-likelihood of test images in bits per pixel and channel.", 3, kLower, any},
      {"frechet_classifier_64", "Fréchet distance",
       "Fréchet distance between the prior's mean images and test images in the 64 features of a small classifier of "
       "the data set: a proxy for FID, not comparable to it.",
       2, kLower, not_negative},
      {"fid_64", "FID, 64 features",
       "Fréchet distance between the prior's mean images and test images in the 64 features of Inception's first "
       "pooling, as the paper prints.",
       2, kLower, not_negative},
      {"fid_192", "FID, 192 features",
       "Fréchet distance between the prior's mean images and test images in the 192 features of Inception's second "
       "pooling.",
       2, kLower, not_negative},
      {"fid_768", "FID, 768 features",
       "Fréchet distance between the prior's mean images and test images in the 768 features before Inception's "
       "auxiliary head.",
       2, kLower, not_negative},
      {"fid_2048", "FID",
       "Fréchet distance between the prior's mean images and test images in the 2048 features of Inception's last "
       "pooling: FID as usually reported.",
       2, kLower, not_negative},
      {"classifier_accuracy", "Classifier accuracy",
       "Share of test images whose latent mean the linear classifier assigns to the right class.", 3, kHigher, share,
       true},
  };
}

}  // namespace

const Registry<MetricEntry>& catalogue() {
  static const Registry<MetricEntry> all("metrics.catalogue", "metric", entries());
  return all;
}

}  // namespace vaeguard::metrics
