#ifndef MILLRACE_SOFTMAX_HEAD_HPP
#define MILLRACE_SOFTMAX_HEAD_HPP

#include "bank_head.hpp"
#include "bank_place.hpp"
#include "softmax_experts.hpp"

/// What mixes the experts of a softmax bank, in rows of 16 floats: mixtures as for two classes, and
/// mixers whose weights of the experts' logarithms are shared by the classes.
struct SoftmaxHead {
  Lanes *row;

  Mixtures<1> mixtures() const { return {row + MILLRACE_SOFTMAX_MIXTURES}; }
  /// The weights of the experts' and, in lanes 8 to 11 of the second row, of the mixtures'
  /// logarithms.
  Lanes *mixer(int index) const {
    return row + MILLRACE_SOFTMAX_MIXERS + MILLRACE_EXPERTS_ROWS(1) * index;
  }
  Four &last() const { return *reinterpret_cast<Four *>(row + MILLRACE_SOFTMAX_LAST); }
  LastSteps &steps() const { return *reinterpret_cast<LastSteps *>(&last() + 2); }
  WidePlace place(size_t width) const { return {row + MILLRACE_SOFTMAX_PLACE, width}; }
  Mixtures<1> horizon(int index) const {
    return {row + MILLRACE_SOFTMAX_HORIZON_MIXTURES + MILLRACE_MIXTURES_ROWS(1) * index};
  }
};

/// What mixtures and mixers make of the experts; writes a probability per class.
MILLRACE_INLINE void forecast(const SoftmaxHead &head, const SoftmaxExperts &experts,
                              float *probabilities) {
  const size_t count = experts.count;
  Four greatest = Four{} - 1e30f;
  for (size_t k = 0; k < count; k++) {
    ClassForecast &said = experts.said[k];
    said.mixture = forecast(head.mixtures(), given(said.expert, said.further)).mixture;
    said.log[0] = logarithm<16>(said.expert);
  }
  // A pass of its own, so that no class waits long for what it needs. What all classes have in
  // common neither changes what mixers say nor what they learn.
  for (size_t k = 0; k < count; k++) {
    ClassForecast &said = experts.said[k];
    said.log[1] = logarithm<16>(joined(said.further, joined(said.mixture, Four{} + 1.0f)));
    Eight margin[Head::mixers];
    for (int m = 0; m < Head::mixers; m++)
      margin[m] = folded(head.mixer(m)[0] * said.log[0] + head.mixer(m)[1] * said.log[1]);
    const Four own = sums(joined(head.mixtures().top() * said.mixture, Four{}), margin[0],
                          margin[1], margin[2]);
    said.top = own[0];
    experts.candidate[k] = own;
    greatest = greater<4>(own, greatest);
  }
  softmax(experts.candidate, count, greatest);
  float whole = 0;
  for (size_t k = 0; k < count; k++) {
    Four own = floored(experts.candidate[k], 1.0f / count);
    own[0] = experts.said[k].top;
    experts.candidate[k] = own;
    probabilities[k] = sum(head.last() * own);
    whole += probabilities[k];
  }
  for (size_t k = 0; k < count; k++) probabilities[k] /= whole;
}

MILLRACE_INLINE void learn(const SoftmaxHead &head, const SoftmaxExperts &experts, size_t label,
                           float probability, float weight) {
  const ClassForecast &said = experts.said[label];
  learn(head.mixtures(), {said.mixture, said.top}, given(said.expert, said.further), true, weight);
  Lanes gradient[Head::mixers][2] = {};
  for (size_t k = 0; k < experts.count; k++) {
    const ClassForecast &own = experts.said[k];
    const Four error = (k == label ? 1.0f : 0.0f) - experts.candidate[k];
    for (int m = 0; m < Head::mixers; m++)
      for (int v = 0; v < 2; v++) gradient[m][v] += error[1 + m] * own.log[v];
  }
  for (int m = 0; m < Head::mixers; m++)
    for (int v = 0; v < 2; v++) head.mixer(m)[v] += head.steps().rates[m] * weight * gradient[m][v];
  fixedShare<4>(head.last(), likelihood<4>(experts.candidate[label], probability, weight),
                head.steps().share);
}

#endif
