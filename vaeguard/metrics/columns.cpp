// The list of columns.
#include "vaeguard/metrics/columns.h"

namespace vaeguard::metrics {

const Registry<ColumnEntry>& columns() {
  static const Registry<ColumnEntry> all(
      "metrics.columns", "column",
      {{"cell", "Cell", "What was measured together, by the name that its arrays have, too."},
       {"kind", "Kind",
        "What the cell measures: a scenario, which is an attack at a radius, or none, under a defence; the model "
        "itself; its samples, by the user's Inception file; smallest radii; or a distortion curve."},
       {"dataset", "Data", "The data set."},
       {"model", "Model", "The model by its name in the plan."},
       {"attack", "Attack",
        "The attack's goal, suite or optimiser, and what it does to some pixels; `clean` for none."},
       {"norm", "Norm", "What measures the change of an image; `none` without an attack."},
       {"radius", "Radius", "How far an attack may move an image, in its norm."},
       {"attacker", "Attacker", "What the attacker knows of the defence."},
       {"defence", "Defence", "The defence by its name in the plan; `none` for the encoder alone."},
       {"estimate", "Latents",
        "A sampling defence gives many latent codes for an image. Either one of them is used, as in the paper, or "
        "codes and reconstructions are averaged over all of them, or the class of most counts."},
       {"restarts", "Restarts of an attack",
        "An attack is started several times from different points. Either its restarts are averaged, or the most "
        "harmful one counts for each reference."},
       {"score", "Score", "Of detection: what tells attacked images from clean ones."},
       {"quantile", "Quantile", "Of smallest radii: which quantile, or which end of the median's 95 % interval."},
       {"metric", "Metric", "What the value is."},
       {"value", "Value", "The metric's value."},
       {"stderr", "Standard error", "Of the value, over references: restarts of one image are not independent."},
       {"n", "n", "The independent units: reference images, or test images where the model itself is measured."},
       {"gradients", "Gradients per image",
        "Gradients of the decoder that a defence spends on one image: its cost on any machine."},
       {"seconds", "Seconds", "What the defence took for all images of the cell."}});
  return all;
}

}  // namespace vaeguard::metrics
