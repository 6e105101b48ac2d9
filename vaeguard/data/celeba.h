// CelebA's aligned faces, or folders laid out like it, from the user's own copy.
#pragma once

#include <string>

#include "vaeguard/data/image_folder.h"

namespace vaeguard::data {

struct CelebaOptions {
  ImageFolderOptions images;  // crop: by default that of Vahdat and Kautz 2020, 148 x 148 pixels at (15, 40) of a
                              // picture of 178 x 218, or the same part of one half that size
  std::string attribute;      // of list_attr_celeba.txt, "Male": classes 0 and 1; empty for no labels
};

/// CelebA's aligned faces from the user's own copy: `folder`/img_align_celeba/*.jpg, or `folder`/*.jpg, with parts from
/// `folder`/list_eval_partition.txt; without that file a fixed key splits them. Errors as load_image_folder.
Dataset load_celeba(const CelebaOptions& options);

}  // namespace vaeguard::data
