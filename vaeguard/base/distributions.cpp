// Boost.Math behind four calls.
#include "vaeguard/base/distributions.h"

#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>

namespace vaeguard {
namespace {

boost::math::binomial binomial(std::int64_t trials, double chance) { return {static_cast<double>(trials), chance}; }

}  // namespace

double normal_quantile(double probability) { return boost::math::quantile(boost::math::normal(), probability); }

double student_quantile(double probability, double degrees) {
  return boost::math::quantile(boost::math::students_t(degrees), probability);
}

double binomial_at_most(std::int64_t count, std::int64_t trials, double chance) {
  return boost::math::cdf(binomial(trials, chance), static_cast<double>(count));
}

double binomial_above(std::int64_t count, std::int64_t trials, double chance) {
  return boost::math::cdf(boost::math::complement(binomial(trials, chance), static_cast<double>(count)));
}

}  // namespace vaeguard
