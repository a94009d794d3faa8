#include "platform/windows_api.h"

#include <gtest/gtest.h>

namespace gpulse::windows {
namespace {

TEST(WindowsApi, TextGoesToUtf16AndBack) {
  const std::string text = "Größe 温度 😀";
  EXPECT_EQ(utf8(wide(text)), text);
  EXPECT_EQ(utf8(L""), "");
}

TEST(WindowsApi, ShortPathsStayAsTheyAre) {
  EXPECT_EQ(openable(LR"(C:\logs\log.txt)"), LR"(C:\logs\log.txt)");
  EXPECT_EQ(openable("log.txt"), L"log.txt");
}

TEST(WindowsApi, LongPathsAreMadeWholeAndPlain) {
  const std::wstring name(300, L'n');
  EXPECT_EQ(openable(LR"(C:\logs\..\)" + name), LR"(\\?\C:\)" + name);
  EXPECT_EQ(openable(LR"(C:/logs/)" + name), LR"(\\?\C:\logs\)" + name);
  EXPECT_EQ(openable(LR"(\\server\share\)" + name), LR"(\\?\UNC\server\share\)" + name);
  EXPECT_EQ(openable(LR"(\\?\C:\)" + name), LR"(\\?\C:\)" + name);
}

TEST(WindowsApi, ErrorsHaveWords) {
  EXPECT_FALSE(message_of(ERROR_FILE_NOT_FOUND).empty());
  EXPECT_FALSE(message_of(ERROR_FILE_NOT_FOUND).ends_with('.'));
  EXPECT_EQ(message_of(0x3FFFFFFF), "Windows error 1073741823");
}

}  // namespace
}  // namespace gpulse::windows
