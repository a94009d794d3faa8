#include "telemetry/tzif.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace gpulse {
namespace {

using std::chrono::seconds;
using Bytes = std::span<const unsigned char>;

std::int64_t big_endian(Bytes bytes) {
  std::uint64_t value = (bytes[0] & 0x80) ? ~std::uint64_t{0} : 0;  // signed, of 4 or 8 bytes
  for (const unsigned char byte : bytes) value = value << 8 | byte;
  return static_cast<std::int64_t>(value);
}

// How many of each thing a part holds; each part has a header of its own.
struct Header {
  static constexpr std::size_t kBytes = 44;
  unsigned char version;
  std::uint32_t is_utc_count, is_standard_count, leap_count, time_count, type_count, name_bytes;

  // What follows the header, with times of 4 or 8 bytes. 64 bits can't overflow here.
  [[nodiscard]] std::uint64_t body_bytes(std::uint64_t time_bytes) const {
    return time_count * time_bytes + time_count + std::uint64_t{6} * type_count + name_bytes +
           leap_count * (time_bytes + 4) + is_standard_count + is_utc_count;
  }
};

// Takes spans off the front of the bytes; short bytes give nothing.
class Cursor {
 public:
  explicit Cursor(Bytes bytes) : bytes_(bytes) {}

  std::optional<Bytes> take(std::uint64_t size) {
    if (size > bytes_.size()) return std::nullopt;
    const Bytes taken = bytes_.first(size);
    bytes_ = bytes_.subspan(size);
    return taken;
  }

  std::optional<Header> take_header() {
    const auto raw = take(Header::kBytes);
    if (!raw || std::memcmp(raw->data(), "TZif", 4) != 0) return std::nullopt;
    const auto count = [&](std::size_t at) {
      return static_cast<std::uint32_t>(big_endian(raw->subspan(at, 4)));
    };
    return Header{(*raw)[4], count(20), count(24), count(28), count(32), count(36), count(40)};
  }

  // A TZ string between two line ends; may be empty.
  std::optional<std::string_view> take_footer() {
    std::string_view rest(reinterpret_cast<const char*>(bytes_.data()), bytes_.size());
    if (!rest.starts_with('\n')) return std::nullopt;
    rest.remove_prefix(1);
    const auto end = rest.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    return rest.substr(0, end);
  }

 private:
  Bytes bytes_;
};

std::optional<std::vector<seconds>> read_offsets(Bytes types) {
  constexpr std::size_t kTypeBytes = 6;  // offset, is daylight time, index of the name
  std::vector<seconds> offsets;
  for (; !types.empty(); types = types.subspan(kTypeBytes)) {
    const seconds offset{big_endian(types.first(4))};
    if (offset >= kOffsetEnd || offset <= -kOffsetEnd) return std::nullopt;
    offsets.push_back(offset);
  }
  return offsets;
}

std::unexpected<Error> damaged(std::string_view what) {
  return input_error("damaged time zone data: " + std::string(what));
}

}  // namespace

Expected<ZoneRules> ZoneRules::parse(Bytes tzif) {
  Cursor cursor(tzif);
  const auto short_header = cursor.take_header();
  if (!short_header || short_header->version < '2') return damaged("no TZif of version 2 or later");
  if (!cursor.take(short_header->body_bytes(4))) return damaged("the 32-bit part is cut short");
  const auto header = cursor.take_header();
  if (!header) return damaged("no 64-bit part");
  if (header->leap_count != 0) return damaged("it counts leap seconds");
  const auto body = cursor.take(header->body_bytes(8));
  if (!body || header->type_count == 0) return damaged("the 64-bit part is cut short");

  const auto times = body->first(std::size_t{8} * header->time_count);
  const auto types = body->subspan(times.size(), header->time_count);
  const auto offsets =
      read_offsets(body->subspan(times.size() + types.size(), std::size_t{6} * header->type_count));
  if (!offsets) return damaged("an offset of more than a day");

  ZoneRules rules = fixed(offsets->front());
  UtcSeconds last = kAlwaysWas;
  for (std::size_t i = 0; i < types.size(); ++i) {
    const UtcSeconds at{seconds{big_endian(times.subspan(8 * i, 8))}};
    if (at <= last || at >= kForEver) return damaged("changes out of order");
    if (types[i] >= offsets->size()) return damaged("a change to nothing");
    last = at;
    // Most changes of name alone are dropped, so that spans are wide.
    const seconds offset = (*offsets)[types[i]];
    const seconds before =
        rules.changes_.empty() ? rules.first_offset_ : rules.changes_.back().offset;
    if (offset != before || i + 1 == types.size()) rules.changes_.push_back({at, offset});
  }
  const auto footer = cursor.take_footer();
  if (!footer) return damaged("no footer");
  if (!footer->empty()) {
    rules.footer_ = PosixZone::parse(*footer);
    if (!rules.footer_) return damaged("its footer is no TZ string");
  }
  return rules;
}

ZoneRules ZoneRules::fixed(seconds offset) {
  ZoneRules rules;
  rules.first_offset_ = offset;
  return rules;
}

OffsetSpan ZoneRules::at(UtcSeconds time) const {
  const auto next = std::ranges::upper_bound(changes_, time, {}, &Change::at);
  const bool before_all = next == changes_.begin();
  const UtcSeconds from = before_all ? kAlwaysWas : std::prev(next)->at;
  if (next == changes_.end() && footer_) {
    const OffsetSpan span = footer_->at(time);
    return {std::max(span.from, from), span.until, span.offset};
  }
  const UtcSeconds until = next == changes_.end() ? kForEver : next->at;
  return {from, until, before_all ? first_offset_ : std::prev(next)->offset};
}

}  // namespace gpulse
