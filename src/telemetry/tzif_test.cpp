#include "telemetry/tzif.h"

#include <gtest/gtest.h>

#include <string>

namespace gpulse {
namespace {

using namespace std::chrono_literals;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::year_month_day;

void append(std::string& bytes, std::int64_t value, int size) {
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> shift));
  }
}

// A small but whole file: standard time of +1 h, and a change to +2 h at the second 1000.
struct File {
  std::string version = "2";
  int leap_count = 0;
  std::vector<std::pair<std::int64_t, int>> changes = {{1000, 1}};
  std::vector<int> offsets = {3600, 7200};
  std::string footer = "\nABC-2\n";

  std::string header(int leaps, std::size_t changes_count, std::size_t types_count) const {
    std::string bytes = "TZif" + version + std::string(15, '\0');
    for (const std::size_t count : {std::size_t{0}, std::size_t{0}, static_cast<std::size_t>(leaps),
                                    changes_count, types_count, std::size_t{4}}) {
      append(bytes, static_cast<std::int64_t>(count), 4);
    }
    return bytes;
  }

  std::string bytes() const {
    std::string out = header(0, 0, 1);
    append(out, 0, 4);
    out += std::string("\0\0ABC\0", 6);
    out += header(leap_count, changes.size(), offsets.size());
    for (const auto& [at, type] : changes) append(out, at, 8);
    for (const auto& [at, type] : changes) append(out, type, 1);
    for (const int offset : offsets) {
      append(out, offset, 4);
      out += std::string("\0\0", 2);
    }
    return out + std::string("ABC\0", 4) + footer;
  }
};

Expected<ZoneRules> parse(const std::string& bytes) {
  return ZoneRules::parse({reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()});
}

std::string error_of(const File& file) {
  const auto rules = parse(file.bytes());
  if (rules) return "none";
  EXPECT_EQ(rules.error().kind, ErrorKind::input);
  return rules.error().message;
}

UtcSeconds at(std::int64_t time) { return UtcSeconds{seconds{time}}; }

TEST(Tzif, SpansBetweenChanges) {
  const auto rules = parse(File{}.bytes());
  ASSERT_TRUE(rules) << rules.error().message;
  EXPECT_EQ(rules->at(at(999)).offset, 1h);
  EXPECT_EQ(rules->at(at(999)).from, kAlwaysWas);
  EXPECT_EQ(rules->at(at(999)).until, at(1000));
  EXPECT_EQ(rules->at(at(1000)).offset, 2h);
  EXPECT_EQ(rules->at(at(1000)).from, at(1000));
  EXPECT_EQ(rules->at(at(1000)).until, kForEver);
}

TEST(Tzif, WithoutAFooterTheLastChangeHolds) {
  const auto rules = parse(File{.footer = "\n\n"}.bytes());
  ASSERT_TRUE(rules) << rules.error().message;
  EXPECT_EQ(rules->at(at(1'000'000)).offset, 2h);
}

TEST(Tzif, AChangeOfNameAloneIsNoBorderUnlessTheFooterBeginsThere) {
  const auto rules = parse(File{.changes = {{500, 0}, {1000, 1}, {2000, 1}, {3000, 1}}}.bytes());
  ASSERT_TRUE(rules) << rules.error().message;
  EXPECT_EQ(rules->at(at(600)).from, kAlwaysWas);
  EXPECT_EQ(rules->at(at(1500)).until, at(3000));
}

TEST(Tzif, CutShortAnywhereIsAnError) {
  const std::string whole = File{}.bytes();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    // Memory of exactly that size, so that the address sanitizer sees a byte too far.
    const std::vector<unsigned char> cut(whole.begin(),
                                         whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(ZoneRules::parse(cut)) << size;
  }
}

TEST(Tzif, SaysWhatIsDamaged) {
  EXPECT_EQ(error_of({.version = std::string(1, '\0')}),
            "damaged time zone data: no TZif of version 2 or later");
  EXPECT_EQ(error_of({.leap_count = 1}), "damaged time zone data: it counts leap seconds");
  EXPECT_EQ(error_of({.changes = {{1000, 1}, {1000, 0}}}),
            "damaged time zone data: changes out of order");
  EXPECT_EQ(error_of({.changes = {{1000, 2}}}), "damaged time zone data: a change to nothing");
  EXPECT_EQ(error_of({.offsets = {3600, 100'000}}),
            "damaged time zone data: an offset of more than a day");
  EXPECT_EQ(error_of({.footer = "\nABC\n"}), "damaged time zone data: its footer is no TZ string");
  EXPECT_EQ(error_of({.footer = "\nABC-2"}), "damaged time zone data: no footer");
}

TEST(Tzif, CountsBeyondTheBytesAreAnError) {
  std::string bytes = File{}.bytes();
  bytes.replace(20, 24, std::string(24, '\xff'));
  EXPECT_FALSE(parse(bytes));
}

}  // namespace
}  // namespace gpulse
