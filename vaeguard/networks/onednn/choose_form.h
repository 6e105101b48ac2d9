// Chooses the form of a weighted layer's maps; for the sources of this folder only.
#pragma once

#include "vaeguard/networks/onednn/linear_map.h"

namespace vaeguard::networks::onednn {

/// The form to run. By default it follows from the shape alone, so that every process, thread and machine of one kind
/// computes the same bits. With VAEGUARD_ONEDNN_MEASURE=1 in the environment all possible forms are timed instead, once
/// per shape and process, and the fastest is taken: for other processors, and to check the rule.
Form choose_form(const Geometry& geometry, bool scatter, const Epilogue& epilogue, std::int64_t rows);

/// Seconds per run on dummy data, the best of a few.
double measure(const Geometry& geometry, bool scatter, Form form, const Epilogue& epilogue, std::int64_t rows);

}  // namespace vaeguard::networks::onednn
