// What a learned model makes of the features of a text: one layer of sums over the weights of its
// buckets, one small hidden layer, one logit a label.
#pragma once

#include <cstddef>
#include <vector>

#include "text_features.hpp"

namespace egide::text {

// The sums are `direct` logits of the first labels and then `inner` numbers, from which the hidden
// layer (rectified) and from that the logits of all labels come; what is direct is added to them.
struct Network {
  Weights weights;         // kBuckets x (direct + inner)
  const float* scales;     // direct + inner: what one of a column's whole numbers stands for
  const float* hidden;     // hidden_size x inner
  const float* hidden_at;  // hidden_size: the biases
  const float* out;        // labels x hidden_size
  const float* out_at;     // labels: the biases
  std::size_t direct, inner, hidden_size, labels;
};

// The logits of the labels, given the columns' sums over a text, times its shares. In double
// precision and in one order: the same on every machine.
void logits_of(const Network& network, const double* sums, double* logits);

// How much the logit of a label grows with each column's sum, at this text.
std::vector<double> slopes_of(const Network& network, const double* sums, std::size_t label);

}  // namespace egide::text
