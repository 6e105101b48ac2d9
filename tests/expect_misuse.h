// A check that a call is refused as misuse, with a message that says what it should.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "vaeguard/base/error.h"

namespace vaeguard {

/// Expects `call` to throw Misuse with a message that has every one of `parts`.
template <typename Call>
void expect_misuse(Call&& call, const std::vector<std::string>& parts) {
  try {
    call();
    ADD_FAILURE() << "expected Misuse, nothing was thrown";
  } catch (const Misuse& error) {
    for (const std::string& part : parts) {
      EXPECT_THAT(error.what(), testing::HasSubstr(part));
    }
  }
}

}  // namespace vaeguard
