#include "text_network.hpp"

#include <algorithm>

namespace egide::text {

namespace {

std::vector<double> activated(const Network& network, const double* sums) {
  std::vector<double> hidden(network.hidden_at, network.hidden_at + network.hidden_size);
  for (std::size_t unit = 0; unit < hidden.size(); ++unit) {
    const float* own = network.hidden + unit * network.inner;
    for (std::size_t n = 0; n < network.inner; ++n) {
      const std::size_t column = network.direct + n;
      hidden[unit] += own[n] * (sums[column] * network.scales[column]);
    }
    hidden[unit] = std::max(0.0, hidden[unit]);
  }
  return hidden;
}

}  // namespace

void logits_of(const Network& network, const double* sums, double* logits) {
  const std::vector<double> hidden = activated(network, sums);
  for (std::size_t label = 0; label < network.labels; ++label) {
    const float* own = network.out + label * network.hidden_size;
    double logit = network.out_at[label];
    for (std::size_t unit = 0; unit < hidden.size(); ++unit) logit += own[unit] * hidden[unit];
    if (label < network.direct) logit += sums[label] * network.scales[label];
    logits[label] = logit;
  }
}

std::vector<double> slopes_of(const Network& network, const double* sums, std::size_t label) {
  const std::vector<double> hidden = activated(network, sums);
  const float* own = network.out + label * network.hidden_size;
  std::vector<double> slopes(network.direct + network.inner);
  if (label < network.direct) slopes[label] = network.scales[label];
  for (std::size_t unit = 0; unit < hidden.size(); ++unit) {
    if (hidden[unit] <= 0) continue;
    for (std::size_t n = 0; n < network.inner; ++n) {
      slopes[network.direct + n] += own[unit] * network.hidden[unit * network.inner + n];
    }
  }
  for (std::size_t n = 0; n < network.inner; ++n) {
    slopes[network.direct + n] *= network.scales[network.direct + n];
  }
  return slopes;
}

}  // namespace egide::text
