#include "harness/servers/steady.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

namespace archbench {
namespace {

constexpr std::size_t kBatch = 5;           // the 5 of MSER-5
constexpr std::size_t kFewestBatches = 10;  // with fewer, a cut in the middle leaves nothing to see
constexpr double kKolmogorov99 = 1.628;     // 99 % quantile

// A shift that is certain but smaller than this changes no conclusion: it is within what the
// campaign's blocks differ by anyway.
constexpr double kShiftThatMatters = 0.05;

struct Rates {
  std::vector<double> time_s;  // middle of each interval
  std::vector<double> rate;
};

Rates rates_of(const std::vector<RateSample>& samples) {
  Rates rates;
  for (std::size_t i = 1; i < samples.size(); ++i) {
    const double span = samples[i].time_s - samples[i - 1].time_s;
    if (span <= 0) continue;
    rates.time_s.push_back((samples[i].time_s + samples[i - 1].time_s) / 2);
    rates.rate.push_back((samples[i].requests - samples[i - 1].requests) / span);
  }
  return rates;
}

double mean(const double* begin, const double* end) {
  return std::accumulate(begin, end, 0.0) / static_cast<double>(end - begin);
}

std::string number(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

}  // namespace

std::size_t mser_cut(const std::vector<double>& batches) {
  const std::size_t size = batches.size();
  std::size_t best = 0;
  double smallest = INFINITY;
  for (std::size_t cut = 0; cut <= size / 2; ++cut) {
    const double average = mean(batches.data() + cut, batches.data() + size);
    double squares = 0;
    for (std::size_t i = cut; i < size; ++i) squares += std::pow(batches[i] - average, 2);
    const double error = squares / std::pow(static_cast<double>(size - cut), 2);
    if (error < smallest) {
      smallest = error;
      best = cut;
    }
  }
  return best;
}

Shift largest_shift(const std::vector<double>& series) {
  const std::size_t size = series.size();
  if (size < 2) return {};
  double squares = 0;
  for (std::size_t i = 1; i < size; ++i) squares += std::pow(series[i] - series[i - 1], 2);
  const double deviation = std::sqrt(squares / (2.0 * static_cast<double>(size - 1)));
  const double average = mean(series.data(), series.data() + size);
  Shift shift;
  double sum = 0, largest = 0;
  for (std::size_t i = 0; i + 1 < size; ++i) {
    sum += series[i] - average;
    if (std::abs(sum) <= largest) continue;
    largest = std::abs(sum);
    shift.at = i + 1;
  }
  const double unit = deviation * std::sqrt(static_cast<double>(size));
  shift.statistic = unit > 0 ? largest / unit : (largest > 0 ? INFINITY : 0);
  return shift;
}

Steadiness judge_steadiness(const std::vector<RateSample>& samples, double window_begin) {
  Steadiness verdict;
  const Rates rates = rates_of(samples);
  std::vector<double> batches, begins;
  for (std::size_t i = 0; i + kBatch <= rates.rate.size(); i += kBatch) {
    batches.push_back(mean(rates.rate.data() + i, rates.rate.data() + i + kBatch));
    begins.push_back(samples[i].time_s);
  }
  if (batches.size() < kFewestBatches) {
    verdict.text = "too short to judge: " + std::to_string(rates.rate.size()) +
                   " samples, at least " + std::to_string(kFewestBatches * kBatch) + " are needed";
    return verdict;
  }
  verdict.judged = true;
  std::size_t cut = mser_cut(batches);
  // Of a short constant series MSER cuts off half in one case of twelve: what it cuts must differ.
  const double before = mean(batches.data(), batches.data() + cut);
  const double behind = mean(batches.data() + cut, batches.data() + batches.size());
  if (cut > 0 && std::abs(before - behind) <= kShiftThatMatters * behind) cut = 0;
  verdict.settled_s = begins[cut];
  if (cut >= batches.size() / 2) {
    verdict.text = "no steady state: MSER-5 would cut off half of the run or more";
    return verdict;
  }
  const double settled = std::max(*verdict.settled_s, window_begin);
  const auto first = static_cast<std::size_t>(
      std::lower_bound(rates.time_s.begin(), rates.time_s.end(), settled) - rates.time_s.begin());
  const std::vector<double> rest(rates.rate.begin() + static_cast<long>(first), rates.rate.end());
  const Shift shift = largest_shift(rest);
  if (shift.statistic > kKolmogorov99) {
    const double first_mean = mean(rest.data(), rest.data() + shift.at);
    const double last_mean = mean(rest.data() + shift.at, rest.data() + rest.size());
    const double change = first_mean > 0 ? last_mean / first_mean - 1 : INFINITY;
    if (std::abs(change) > kShiftThatMatters) {
      verdict.shift = change;
      verdict.shift_at_s = rates.time_s[first + shift.at];
      verdict.text = "no steady state: from " +
                     number("%.2f s of the window on", verdict.shift_at_s - window_begin) +
                     number(" the rate was %+.1f %%", 100 * change);
      return verdict;
    }
  }
  // A late start of a tenth moves an average by a tenth of the difference: not worth a label.
  constexpr double kLateStart = 0.1;
  const double late = *verdict.settled_s - window_begin;
  verdict.steady = late <= kLateStart * (samples.back().time_s - window_begin);
  verdict.text = "settled " + number("%.2f s", std::abs(late)) +
                 (late > 0 ? " after the window had begun" : " before the window") +
                 ", no shift in it";
  return verdict;
}

}  // namespace archbench
