// A replay page's picture: routers on the left, channels with their loads on the right, and who sends where.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "actor_worker/environments/payments/payments.h"
#include "actor_worker/environments/scene.h"

namespace troupe {
namespace {

constexpr double kWide = 12, kHigh = 6.4, kRouters = 1.3, kChannels = 6.2, kFullLoad = 2.6;

void DrawChannel(const PaymentsSettings& settings, int channel, double load, double y, Scene& scene) {
  const ChannelTerms& terms = kChannelTerms[channel];
  const double right = kChannels + kFullLoad * std::min(load, 2.0);
  const std::string note =
      absl::StrFormat("%s: %.2f payments for each of its %d servers", terms.name, load, settings.servers[channel]);
  scene.Text({kChannels, y + 0.72}, 0.34, terms.name, {}, TextAlign::kLeft);
  scene.Text({kChannels + 2 * kFullLoad, y + 0.72}, 0.26,
             absl::StrFormat("%.0f ms, risk %.0f %%, $%.2f", terms.service_ms, 100 * terms.risk, terms.dollars),
             {.ink = Ink::kFaint}, TextAlign::kRight);
  scene.Box({kChannels, y - 0.4}, {kChannels + 2 * kFullLoad, y + 0.4}, {.ink = Ink::kGround, .opacity = 0.6});
  scene.Box({kChannels, y - 0.4}, {right, y + 0.4},
            {.ink = load > 1     ? Ink::kBad
                    : load > 0.8 ? Ink::kWarning
                                 : Ink::kGood,
             .opacity = 0.85,
             .note = note});
  scene.Line({{kChannels + kFullLoad, y - 0.5}, {kChannels + kFullLoad, y + 0.5}}, 0.04,
             {.ink = Ink::kText, .note = "all servers busy; beyond, payments wait in line"});
  scene.Text({kChannels + 2 * kFullLoad + 0.1, y}, 0.28, absl::StrFormat("%.2f", load), {}, TextAlign::kLeft);
}

}  // namespace

void Payments::Draw(Scene& scene) const {
  scene.Map(0, 0, kWide + 0.3, kHigh);
  const auto channel_y = [](int channel) { return kHigh * (1 - (channel + 0.55) / static_cast<int>(kNumChannels)); };
  for (int k = 0; k < kNumChannels; ++k) DrawChannel(settings_, k, network_.load(k), channel_y(k), scene);
  for (int i = 0; i < settings_.routers; ++i) {
    const double y = kHigh * (1 - (i + 0.5) / settings_.routers);
    const double radius = std::min(0.5, 2.4 / settings_.routers);
    const ScenePoint target = {kChannels - 0.25, channel_y(channels_[i])};
    scene.Arrow({kRouters + radius, y}, target, 0.06,
                {.ink = network_.step() > 0 ? TeamInk(i) : Ink::kNone,
                 .opacity = 0.85,
                 .note = absl::StrCat(spec_.groups[0].agents[i], " sent by ", kChannelTerms[channels_[i]].name)});
    scene.Circle({kRouters, y}, radius,
                 {.ink = TeamInk(i),
                  .note = absl::StrCat(spec_.groups[0].agents[i], ": ", network_.pending(i), " payments pending")});
    scene.Text({kRouters, y}, 0.7 * radius, absl::StrCat(network_.pending(i)), {.ink = Ink::kPaper});
    scene.Text({kRouters, y - radius - 0.2}, std::min(0.28, radius), spec_.groups[0].agents[i], {.ink = Ink::kFaint});
  }
  scene.Fact("average latency", absl::StrFormat("%.0f ms", network_.average_latency_ms()));
  scene.Fact("system risk", absl::StrFormat("%.1f %%", 100 * network_.system_risk()));
  if (network_.in_burst()) scene.Fact("burst", "now");
  scene.Figure("average latency, ms", "latency", network_.average_latency_ms());
  scene.Figure("average latency, ms", "target", settings_.latency_target_ms);
  scene.Figure("system risk, %", "risk", 100 * network_.system_risk());
  scene.Figure("system risk, %", "target", settings_.risk_target_percent);
  scene.Figure("cost of a payment, $", "cost", network_.last().mean_dollars());
  for (int k = 0; k < kNumChannels; ++k) {
    scene.Figure("load, payments over servers", kChannelTerms[k].name, network_.load(k));
  }
}

}  // namespace troupe
