#include "gpuz/generator_workload.h"

#include <algorithm>

namespace gpulse::generator {
namespace {

// How likely something that happens every `period` seconds happens in dt.
double in_time(double dt, double period) { return std::min(1.0, dt / period); }

}  // namespace

Workload::Workload(std::uint64_t seed, double system_memory_idle_mb)
    : random_(seed), system_memory_idle_(system_memory_idle_mb) {
  demand_.system_memory = system_memory_idle_mb;
  demand_.vram_share = 0.07;
  begin_phase(Activity::desktop);
}

void Workload::set_routine(Routine routine) {
  routine_ = routine;
  const bool games = routine == Routine::gaming || routine == Routine::heavy;
  matches_left_ = 0;
  begin_phase(games ? Activity::menu : Activity::desktop);
  seconds_left_ = random_.uniform(15, 30);
}

void Workload::restart() { vram_piled_up_ = 0; }

void Workload::begin_phase(Activity activity) {
  activity_ = activity;
  scene_ = 0;
  scene_seconds_ = random_.uniform(15, 90);
  switch (activity) {
    case Activity::desktop: seconds_left_ = random_.uniform(60, 500); break;
    case Activity::browsing:
      seconds_left_ = random_.uniform(20, 150);
      level_ = random_.uniform(8, 22);
      break;
    case Activity::video:
      seconds_left_ = random_.uniform(200, 900);
      level_ = random_.uniform(9, 15);
      break;
    case Activity::menu:
      seconds_left_ =
          routine_ == Routine::heavy ? random_.uniform(8, 20) : random_.uniform(30, 110);
      level_ = random_.uniform(38, 62);
      game_intensity_ = random_.uniform(0.95, 1.0);
      game_memory_load_ = random_.uniform(37, 44);
      game_vram_share_ = random_.uniform(0.55, 0.8);
      break;
    case Activity::loading:
      seconds_left_ = random_.uniform(6, 16);
      level_ = random_.uniform(12, 30);
      break;
    case Activity::match:
      seconds_left_ = random_.uniform(400, 1500);
      level_ = 99;
      vram_piled_up_ = std::min(0.12, vram_piled_up_ + random_.uniform(0.005, 0.02));
      break;
    case Activity::capped_match:
      seconds_left_ = random_.uniform(400, 1200);
      level_ = random_.uniform(55, 84);
      vram_piled_up_ = std::min(0.12, vram_piled_up_ + random_.uniform(0.005, 0.02));
      break;
  }
}

Workload::Activity Workload::after_phase() {
  switch (activity_) {
    case Activity::desktop:
      if (routine_ == Routine::mixed && random_.chance(0.45)) {
        matches_left_ = 1 + static_cast<int>(random_.uniform(0, 3));
        return Activity::menu;
      }
      return random_.chance(routine_ == Routine::mixed ? 0.5 : 0.15) ? Activity::video
                                                                     : Activity::browsing;
    case Activity::browsing:
    case Activity::video: return Activity::desktop;
    case Activity::menu: return Activity::loading;
    case Activity::loading:
      return routine_ != Routine::heavy && random_.chance(0.35) ? Activity::capped_match
                                                                : Activity::match;
    case Activity::match:
    case Activity::capped_match: break;
  }
  if (routine_ == Routine::gaming || routine_ == Routine::heavy) return Activity::menu;
  return --matches_left_ > 0 ? Activity::menu : Activity::desktop;
}

const Demand& Workload::advance(double dt) {
  seconds_left_ -= dt;
  if (seconds_left_ <= 0) begin_phase(after_phase());
  advance_scene(dt);
  if (activity_ <= Activity::video) {
    advance_light(dt);
  } else {
    advance_game(dt);
  }
  advance_memory(dt);
  return demand_;
}

void Workload::advance_scene(double dt) {
  scene_seconds_ -= dt;
  if (scene_seconds_ <= 0) {
    scene_seconds_ = random_.uniform(25, 160);
    scene_ = 0.012 * random_.normal();
  }
  wander_ += share_of_way(dt, 12) * (0.012 * random_.normal() - wander_);
}

void Workload::advance_light(double dt) {
  demand_.uncapped = false;
  demand_.intensity = 0.8;
  demand_.bus_load = random_.chance(0.06) ? random_.uniform(0, 4) : 0;
  demand_.video_load = 0;
  if (activity_ == Activity::desktop) {
    const bool stirs = random_.chance(in_time(dt, 11));
    if (random_.chance(0.35)) demand_.load = stirs ? random_.uniform(4, 24) : random_.uniform(0, 4);
    demand_.tier = stirs ? Tier::light : Tier::idle;
    demand_.cpu = stirs ? 0.25 : 0.05;
  } else if (activity_ == Activity::browsing) {
    if (random_.chance(0.6)) demand_.load = level_ + 6 * random_.normal();
    demand_.tier = Tier::light;
    demand_.cpu = 0.3;
  } else {
    if (random_.chance(0.5)) demand_.load = level_ + 1.2 * random_.normal();
    demand_.video_load = level_ + 6 + (random_.chance(0.3) ? random_.normal() : 0);
    demand_.tier = Tier::light;
    demand_.cpu = 0.15;
  }
  demand_.load = std::clamp(demand_.load, 0.0, 60.0);
  demand_.memory_load = demand_.load * 0.4;
}

void Workload::advance_game(double dt) {
  demand_.tier = Tier::full;
  demand_.uncapped = activity_ == Activity::match;
  demand_.video_load = 0;
  demand_.intensity = game_intensity_ * (1 + scene_ + wander_ + 0.006 * random_.normal());
  if (activity_ == Activity::match) {
    // The driver counts whole frames, so that a busy card reads 99, at times a little less.
    const bool less = random_.chance(0.14);
    demand_.load = less ? 99 - 2 - static_cast<int>(random_.uniform(0, 2)) : 99;
    demand_.memory_load = game_memory_load_ * (1 + scene_) + (less ? -1 : 0);
    demand_.bus_load = 26 + 20 * scene_ + (random_.chance(0.2) ? random_.normal() : 0);
    demand_.cpu = 0.7;
  } else if (activity_ == Activity::loading) {
    demand_.load = level_ + 12 * random_.normal();
    demand_.memory_load = demand_.load * 0.3;
    demand_.bus_load = random_.uniform(12, 40);
    demand_.cpu = 1.0;
  } else {
    // A frame cap keeps the frame rate, so the scene's weight shows in the load.
    demand_.load = level_ * (1 + 4 * scene_ + 3 * wander_) + 0.8 * random_.normal();
    demand_.memory_load = game_memory_load_ * demand_.load / 110;
    demand_.bus_load = demand_.load * 0.2;
    demand_.cpu = activity_ == Activity::menu ? 0.4 : 0.6;
  }
  advance_hitch(dt);
  demand_.load = std::clamp(demand_.load * hitch_, 0.0, 99.0);
  demand_.memory_load = std::max(1.0, demand_.memory_load * hitch_);
}

// Once a minute something is streamed in; now and then so much that frames are lost.
void Workload::advance_hitch(double dt) {
  hitch_ = 1;
  if (activity_ < Activity::match || !random_.chance(in_time(dt, 60))) return;
  hitch_ = random_.chance(0.2) ? random_.uniform(0.3, 0.7) : random_.uniform(0.9, 0.96);
}

void Workload::advance_memory(double dt) {
  const bool in_game = activity_ >= Activity::menu;
  const bool in_match = activity_ >= Activity::match;
  double vram = in_game ? 0.75 * game_vram_share_ : 0.09 + level_ * 0.002;
  if (in_match) vram = game_vram_share_;
  vram = std::min(0.96, vram + vram_piled_up_);
  const double system =
      system_memory_idle_ + (in_game ? 4300 : 0) + (in_match ? 900 : 0) + 8000 * vram_piled_up_;
  const double constant = activity_ == Activity::loading || !in_game ? 5 : 25;
  demand_.vram_share += share_of_way(dt, constant) * (vram - demand_.vram_share);
  demand_.system_memory += share_of_way(dt, constant * 2) * (system - demand_.system_memory);
}

}  // namespace gpulse::generator
