// What the owner of a made-up PC does with it: desktop, video, games, in phases.
#pragma once

#include <cstdint>

#include "gpuz/generator_random.h"

namespace gpulse::generator {

// What of the way to its end a value with this time constant goes in dt: an implicit Euler step,
// which is stable for any dt and needs no exp().
[[nodiscard]] inline double share_of_way(double dt, double time_constant) {
  return dt / (time_constant + dt);
}

// Which power state the work needs.
enum class Tier : std::uint8_t { idle, light, full };

// What the work asks of the card at one instant.
struct Demand {
  Tier tier = Tier::idle;
  bool uncapped = false;      // it would take any frame rate that the card can give
  double load = 0;            // %, 0..99
  double intensity = 0;       // power of the busy chip, 1 = the heaviest usual game
  double memory_load = 0;     // %
  double bus_load = 0;        // %
  double video_load = 0;      // %
  double cpu = 0;             // 0..1
  double vram_share = 0;      // of the card's memory
  double system_memory = 0;   // MB
};

// How a scenario's owner spends the day.
enum class Routine : std::uint8_t {
  idle,    // a desktop, now and then a browser
  gaming,  // menus, loading screens, matches; some matches with a frame cap
  heavy,   // long uncapped matches with short menus between
  mixed,   // desktop, video and games
};

class Workload {
 public:
  Workload(std::uint64_t seed, double system_memory_idle_mb);

  void set_routine(Routine routine);
  // The PC or its game was started anew: what had piled up in memory is gone.
  void restart();

  // `dt`: seconds since the call before.
  const Demand& advance(double dt);

 private:
  enum class Activity : std::uint8_t {
    desktop,
    browsing,
    video,
    menu,
    loading,
    match,
    capped_match
  };

  void begin_phase(Activity activity);
  Activity after_phase();
  void advance_scene(double dt);
  void advance_light(double dt);
  void advance_game(double dt);
  void advance_hitch(double dt);
  void advance_memory(double dt);

  Random random_;
  Demand demand_;
  Routine routine_ = Routine::idle;
  Activity activity_ = Activity::desktop;
  double seconds_left_ = 0;
  int matches_left_ = 0;       // until the owner stops playing, in a mixed routine

  double level_ = 0;           // load that the phase is about
  double game_intensity_ = 1;
  double game_memory_load_ = 40;
  double game_vram_share_ = 0.5;
  double scene_ = 0;           // relative change of the work, held for some time
  double scene_seconds_ = 0;
  double wander_ = 0;          // slow change around it
  double hitch_ = 1;           // what a short stall leaves of the work
  double vram_piled_up_ = 0;   // grows from match to match until a restart
  double system_memory_idle_;
};

}  // namespace gpulse::generator
