#include "local_record.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "local_reduce.hpp"

namespace egide::local {

namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "records are copied as they are");

constexpr float kTurn = 6.28318531F;
constexpr float kLeastLog = 1;  // sigmas under 2 units are finer than the detector's first level
constexpr float kSteps = 10;    // an octave
constexpr std::uint8_t kVersion = 1;

std::uint16_t number_at(const char* bytes, std::size_t at) {
  std::uint16_t number;
  std::memcpy(&number, bytes + at, sizeof number);
  return number;
}

void append(std::string& out, const void* from, std::size_t size) {
  out.append(static_cast<const char*>(from), size);
}

}  // namespace

std::uint32_t pack(const Spot& spot) {
  const auto rounded = [](float value, int most) {
    return static_cast<std::uint32_t>(std::clamp(static_cast<int>(std::lround(value)), 0, most));
  };
  const float turns = spot.angle / kTurn - std::floor(spot.angle / kTurn);
  return rounded(spot.x, 1023) | rounded(spot.y, 1023) << 10 |
         rounded((spot.log_sigma - kLeastLog) * kSteps, 63) << 20 |
         (rounded(turns * 64, 64) & 63) << 26;
}

Spot unpack(std::uint32_t geometry) {
  return {static_cast<float>(geometry & 1023), static_cast<float>(geometry >> 10 & 1023),
          kLeastLog + static_cast<float>(geometry >> 20 & 63) / kSteps,
          static_cast<float>(geometry >> 26) * (kTurn / 64)};
}

void extent(std::size_t cols, std::size_t rows, float& width, float& height) {
  const Size size = reduced_size(cols, rows, true);
  const auto longer = static_cast<float>(std::max(size.width, size.height));
  width = kUnits * static_cast<float>(size.width) / longer;
  height = kUnits * static_cast<float>(size.height) / longer;
}

std::string write_record(const std::vector<Spot>& spots, const std::vector<Code>& codes,
                         std::size_t cols, std::size_t rows) {
  const std::size_t count = std::min(spots.size(), kMostRecorded);
  std::string out;
  if (count < kLeastRecorded) return out;
  const auto capped = [](std::size_t n) {
    return static_cast<std::uint16_t>(std::min<std::size_t>(n, 65535));
  };
  const std::uint16_t numbers[] = {kVersion, capped(count), capped(cols), capped(rows)};
  const std::uint8_t reserved[8] = {};
  append(out, numbers, sizeof numbers);
  append(out, reserved, sizeof reserved);
  for (std::size_t n = 0; n < count; ++n) {
    const std::uint32_t geometry = pack(spots[n]);
    append(out, &geometry, sizeof geometry);
    append(out, codes[n].lanes, sizeof codes[n].lanes);
  }
  return out;
}

std::size_t check_record(const char* bytes, std::size_t size) {
  if (size < kHeaderBytes) {
    throw std::invalid_argument("the local record is cut off: it has no whole header");
  }
  if (static_cast<std::uint8_t>(bytes[0]) != kVersion) {
    throw std::invalid_argument("the local record is of version " +
                                std::to_string(static_cast<std::uint8_t>(bytes[0])) +
                                ", this kernel reads version 1");
  }
  const std::size_t count = number_at(bytes, 2);
  if (count < kLeastRecorded || count > kMostRecorded) {
    throw std::invalid_argument("the local record says it has " + std::to_string(count) +
                                " points, not 12 to 400");
  }
  if (size != kHeaderBytes + count * kPointBytes) {
    throw std::invalid_argument("the local record has " + std::to_string(size) + " bytes, " +
                                std::to_string(count) + " points take " +
                                std::to_string(kHeaderBytes + count * kPointBytes));
  }
  const bool padded = bytes[1] == 0 && std::all_of(bytes + 8, bytes + kHeaderBytes,
                                                   [](char byte) { return byte == 0; });
  if (!padded || number_at(bytes, 4) == 0 || number_at(bytes, 6) == 0) {
    throw std::invalid_argument("the local record is damaged: its header is not that of version 1");
  }
  return count;
}

Record read_record(const char* bytes, std::size_t size) {
  const std::size_t count = check_record(bytes, size);
  Record out{std::vector<std::uint32_t>(count), std::vector<Code>(count), 0, 0};
  extent(number_at(bytes, 4), number_at(bytes, 6), out.width, out.height);
  const char* point = bytes + kHeaderBytes;
  for (std::size_t n = 0; n < count; ++n, point += kPointBytes) {
    std::memcpy(&out.geometries[n], point, 4);
    std::memcpy(out.codes[n].lanes, point + 4, sizeof out.codes[n].lanes);
  }
  return out;
}

}  // namespace egide::local
