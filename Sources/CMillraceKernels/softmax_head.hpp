#ifndef MILLRACE_SOFTMAX_HEAD_HPP
#define MILLRACE_SOFTMAX_HEAD_HPP

#include "bank_head.hpp"
#include "bank_place.hpp"
#include "softmax_experts.hpp"

/// What mixes the experts of a softmax bank, in rows of 16 floats: mixtures as for two classes, and
/// mixers whose weights of the experts' logarithms are shared by the classes.
struct SoftmaxHead {
  Lanes *row;

  Mixtures<2> mixtures() const { return {row + MILLRACE_SOFTMAX_MIXTURES}; }
  ExpertRows<2> mixer(int index) const { return {row + MILLRACE_SOFTMAX_MIXERS + 3 * index}; }
  Eight &mixtureWeights(int mixer) const {
    return reinterpret_cast<Eight *>(row + MILLRACE_SOFTMAX_MIXERS + 3 * mixer + 2)[1];
  }
  Four &last() const { return *reinterpret_cast<Four *>(row + MILLRACE_SOFTMAX_LAST); }
  WidePlace place(size_t width) const {
    return {row + MILLRACE_SOFTMAX_PLACE, width};
  }
  Mixtures<2> horizon(int index) const {
    return {row + MILLRACE_SOFTMAX_HORIZON_MIXTURES + MILLRACE_MIXTURES_ROWS(2) * index};
  }
};

static const float softmaxRates[Head::mixers] = {3e-4f, 2e-3f, 8e-3f};
static const float softmaxLastShare = 5e-4f;

/// The logarithms of what experts and mixtures say, less their mean over the classes.
MILLRACE_INLINE void centreLogarithms(const SoftmaxExperts &experts) {
  Lanes total[2] = {};
  Eight furtherTotal = {}, mixtureTotal = {};
  for (size_t k = 0; k < experts.count; k++) {
    ClassForecast &said = experts.said[k];
    for (int v = 0; v < 2; v++) total[v] += said.log[v] = logarithm<16>(said.expert[v]);
    furtherTotal += said.furtherLog = logarithm<8>(said.further);
    mixtureTotal += said.mixtureLog = joined(logarithm<4>(said.mixture), Four{});
  }
  const float each = 1.0f / experts.count;
  for (size_t k = 0; k < experts.count; k++) {
    ClassForecast &said = experts.said[k];
    for (int v = 0; v < 2; v++) said.log[v] -= total[v] * each;
    said.furtherLog -= furtherTotal * each;
    said.mixtureLog -= mixtureTotal * each;
  }
}

/// What mixtures and mixers make of the experts; writes a probability per class.
MILLRACE_INLINE void forecast(const SoftmaxHead &head, const SoftmaxExperts &experts,
                              float *probabilities) {
  for (size_t k = 0; k < experts.count; k++) {
    ClassForecast &said = experts.said[k];
    const MixturesForecast mixed =
        forecast(head.mixtures(), given(said.expert[0], said.expert[1], said.further));
    said.mixture = mixed.mixture;
    said.top = mixed.top;
  }
  centreLogarithms(experts);
  Four greatest = {-1e30f, -1e30f, -1e30f, -1e30f}, total = {};
  for (size_t k = 0; k < experts.count; k++) {
    ClassForecast &said = experts.said[k];
    Eight margin[Head::mixers];
    for (int m = 0; m < Head::mixers; m++)
      margin[m] = head.mixer(m).dot(said.log, said.furtherLog, true) +
                  head.mixtureWeights(m) * said.mixtureLog;
    said.candidate = sums(Eight{}, margin[0], margin[1], margin[2]);
    greatest = greater<4>(said.candidate, greatest);
  }
  for (size_t k = 0; k < experts.count; k++) {
    ClassForecast &said = experts.said[k];
    said.candidate = decayed<4>(said.candidate - greatest);
    total += said.candidate;
  }
  float whole = 0;
  for (size_t k = 0; k < experts.count; k++) {
    ClassForecast &said = experts.said[k];
    said.candidate = floored(said.candidate / total, 1.0f / experts.count);
    said.candidate[0] = said.top;
    probabilities[k] = sum(head.last() * said.candidate);
    whole += probabilities[k];
  }
  for (size_t k = 0; k < experts.count; k++) probabilities[k] /= whole;
}

MILLRACE_INLINE void learn(const SoftmaxHead &head, const SoftmaxExperts &experts, size_t label,
                           float probability, float weight) {
  const ClassForecast &said = experts.said[label];
  learn(head.mixtures(), {said.mixture, said.top}, given(said.expert[0], said.expert[1], said.further),
        true, weight, shares, topShare);
  for (int m = 0; m < Head::mixers; m++) {
    Lanes gradient[2] = {};
    Eight further = {}, mixtures = {};
    for (size_t k = 0; k < experts.count; k++) {
      const ClassForecast &own = experts.said[k];
      const float error = (k == label ? 1.0f : 0.0f) - own.candidate[1 + m];
      for (int v = 0; v < 2; v++) gradient[v] += error * own.log[v];
      further += error * own.furtherLog;
      mixtures += error * own.mixtureLog;
    }
    const float step = softmaxRates[m] * weight;
    for (int v = 0; v < 2; v++) head.mixer(m).narrow[v] += step * gradient[v];
    head.mixer(m).wide() += step * further;
    head.mixtureWeights(m) += step * mixtures;
  }
  fixedShare<4>(head.last(), likelihood<4>(said.candidate, probability, weight), softmaxLastShare);
}

#endif
