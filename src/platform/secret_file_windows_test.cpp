#include <gtest/gtest.h>
#include <windows.h>
// After windows.h, whose types they use.
#include <aclapi.h>
#include <sddl.h>

#include <fstream>

#include "platform/secret_file.h"
#include "platform/windows_api.h"

namespace gpulse {
namespace {

// Gives a file an access list in Windows' notation.
void set_list(const std::filesystem::path& file, const wchar_t* list) {
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  ASSERT_NE(ConvertStringSecurityDescriptorToSecurityDescriptorW(list, SDDL_REVISION_1, &descriptor,
                                                                 nullptr),
            0);
  EXPECT_NE(
      SetFileSecurityW(windows::openable(file).c_str(), DACL_SECURITY_INFORMATION, descriptor), 0);
  LocalFree(descriptor);
}

TEST(SecretFileAccessList, WhoElseMayReadIsNamedWithTheCure) {
  const auto file = std::filesystem::path(testing::TempDir()) / "gpulse_secret_file_list";
  std::ofstream(file) << "secret";
  set_list(
      file,
      L"D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FR;;;WD)");  // the system, administrators; everyone reads
  const auto others = other_readers(file);
  ASSERT_TRUE(others.has_value());
  EXPECT_NE(others->who.find("Everyone"), std::string::npos) << others->who;
  EXPECT_TRUE(
      others->cure.starts_with("icacls \"" + file.string() + "\" /inheritance:r /grant:r \""))
      << others->cure;
  EXPECT_TRUE(others->cure.ends_with(":F\" /remove:g \"Everyone\"")) << others->cure;
  ASSERT_TRUE(keep_to_owner(file).has_value());
  EXPECT_FALSE(other_readers(file).has_value());
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace gpulse
