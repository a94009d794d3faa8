#include <gtest/gtest.h>

#include <algorithm>

#include "platform/gpuz_places.h"

namespace gpulse {
namespace {

using Kind = GpuzPlace::Kind;
using Places = std::vector<GpuzPlace>;

TEST(GpuzPlaces, WhatSettingsName) {
  EXPECT_EQ(places_of_setting(LR"(D:\logs\rtx.TXT)"),
            (Places{{LR"(D:\logs\rtx.TXT)", Kind::file}, {LR"(D:\logs)"}}));
  EXPECT_EQ(places_of_setting(LR"(C:\Program Files\GPU-Z)"),
            Places{{LR"(C:\Program Files\GPU-Z)"}});
  EXPECT_EQ(places_of_setting(LR"(\\nas\anna\logs)"), Places{{LR"(\\nas\anna\logs)"}});
  for (const wchar_t* nothing : {L"", L"no", L"2.59.0", LR"(logs\rtx.txt)"}) {
    EXPECT_EQ(places_of_setting(nothing), Places());
  }
}

TEST(GpuzPlaces, OfThisMachineEachOnce) {
  const auto places = gpuz_places();
  EXPECT_GE(places.size(), 4U);
  for (const GpuzPlace& place : places) {
    EXPECT_TRUE(place.path.is_absolute() || place.path.native().starts_with(LR"(\\)"))
        << place.path;
    EXPECT_EQ(std::ranges::count(places, place), 1) << place.path;
  }
}

}  // namespace
}  // namespace gpulse
