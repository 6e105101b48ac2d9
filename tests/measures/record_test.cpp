// Names of cells: what stands apart is known by its ending.
#include "vaeguard/measures/record.h"

#include <gtest/gtest.h>

namespace vaeguard::measures {
namespace {

TEST(Record, WhatACellIsOfIsKnownByTheNameItWasGiven) {
  for (const CellKind kind : {CellKind::model, CellKind::inception, CellKind::smallest, CellKind::distortion}) {
    for (const char* before : {"", "vae-", "beta_vae_5-latent_kl-"}) {
      EXPECT_EQ(cell_kind(cell_apart(before, kind)), kind);
    }
  }
  EXPECT_EQ(cell_apart("vae-", CellKind::model), "vae-model");
}

TEST(Record, ScenariosMayHaveTheWordsElsewhere) {
  for (const char* cell : {"clean-none-0-none", "model-linf-0.1-hmc", "vae-smallest-linf-0.1-map_model", ""}) {
    EXPECT_EQ(cell_kind(cell), CellKind::scenario) << cell;
  }
}

}  // namespace
}  // namespace vaeguard::measures
