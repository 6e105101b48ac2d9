// Files of attacked images.
#include "vaeguard/runs/attacked_images.h"

#include "vaeguard/base/npz.h"
#include "vaeguard/runs/inference_file.h"

namespace vaeguard::runs {

measures::Attacked attacked_images(const std::filesystem::path& file, const models::Vae& vae, int threads,
                                   const std::function<attacks::AttackResult()>& attack) {
  if (!exists(file)) {
    const attacks::AttackResult result = attack();
    const measures::Attacked attacked = measures::encode_attacked(vae, result.adversarial, threads);
    write_npz(file, {{"x_adv", to_array(attacked.images, vae.image())},
                     {"rec_adv", to_array(attacked.mean_reconstruction, vae.image())},
                     {"z_adv", to_array(attacked.encoding.mean)},
                     {"log_variance_adv", to_array(attacked.encoding.log_variance)},
                     {"objective", to_array(result.objective)}});
  }
  const NpzArrays arrays = read_npz(file);
  const std::string place = file.string();
  return {.images = rows_from(arrays, "x_adv", place),
          .encoding = {.mean = rows_from(arrays, "z_adv", place),
                       .log_variance = rows_from(arrays, "log_variance_adv", place)},
          .mean_reconstruction = rows_from(arrays, "rec_adv", place)};
}

}  // namespace vaeguard::runs
