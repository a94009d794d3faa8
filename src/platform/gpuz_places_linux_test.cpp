#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "platform/gpuz_places.h"

namespace gpulse {
namespace {

namespace fs = std::filesystem;
using Kind = GpuzPlace::Kind;
using Places = std::vector<GpuzPlace>;

class GpuzPlaces : public testing::Test {
 protected:
  GpuzPlaces() { fs::create_directories(root_); }
  ~GpuzPlaces() override {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }

  const fs::path root_ =
      fs::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(GpuzPlaces, TheUsersOwnTheProgramsAndWines) {
  EXPECT_EQ(gpuz_places_from("/home/ann", nullptr, "/opt/gpulse", root_),
            (Places{{"/home/ann/Desktop"},
                    {"/home/ann/Documents"},
                    {"/home/ann/Downloads"},
                    {"/opt/gpulse"},
                    {"/home/ann/.wine/drive_c/users", Kind::users}}));
}

TEST_F(GpuzPlaces, WinesPrefixIsWhereItSays) {
  EXPECT_EQ(gpuz_places_from(nullptr, "/games/prefix", "/opt/gpulse", root_),
            (Places{{"/opt/gpulse"}, {"/games/prefix/drive_c/users", Kind::users}}));
  EXPECT_EQ(gpuz_places_from(nullptr, "relative", "", root_), Places());
}

TEST_F(GpuzPlaces, FoldersMayBearOtherNames) {
  fs::create_directories(root_ / ".config");
  std::ofstream(root_ / ".config" / "user-dirs.dirs")
      << "# made by a desktop\nXDG_DESKTOP_DIR=\"$HOME/Schreibtisch\"\n"
         "XDG_DOWNLOAD_DIR=\"/data/downloads\"\nXDG_DOCUMENTS_DIR=\"$HOME/\"\n";
  const auto places = gpuz_places_from(root_.c_str(), nullptr, "", root_ / "none");
  EXPECT_EQ(places[0].path, root_ / "Schreibtisch");
  EXPECT_EQ(places[1].path, root_ / "");
  EXPECT_EQ(places[2].path, "/data/downloads");
}

TEST_F(GpuzPlaces, MountedWindowsDrives) {
  for (const char* drive : {"mnt/c", "mnt/games", "media/ann/Windows", "run/media/ann/OS"}) {
    fs::create_directories(root_ / drive);
  }
  EXPECT_EQ(gpuz_places_from(nullptr, nullptr, "", root_),
            (Places{{root_ / "mnt/c/Users", Kind::users},
                    {root_ / "mnt/games/Users", Kind::users},
                    {root_ / "media/ann/Windows/Users", Kind::users},
                    {root_ / "run/media/ann/OS/Users", Kind::users}}));
}

TEST_F(GpuzPlaces, OfThisMachineEachOnce) {
  const auto places = gpuz_places();
  for (const GpuzPlace& place : places) {
    EXPECT_TRUE(place.path.is_absolute()) << place.path;
    EXPECT_EQ(std::ranges::count(places, place), 1) << place.path;
  }
}

}  // namespace
}  // namespace gpulse
