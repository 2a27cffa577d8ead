// The banked form of a picture's local features: version 1, little-endian.
//
//   byte 0      version, 1
//   byte 1      0
//   bytes 2-7   number of points, width and height of the picture (capped), 16 bits each
//   bytes 8-15  0
//   then 20 bytes a point: a geometry (see pack) and a code
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "local_code.hpp"

namespace egide::local {

constexpr std::size_t kMostRecorded = 400;  // points
constexpr std::size_t kLeastRecorded = 12;  // a picture with fewer has no record
constexpr std::size_t kHeaderBytes = 16;
constexpr std::size_t kPointBytes = 20;
constexpr float kUnits = 1023;  // length of a picture's longer side in the unit of places

// A point of either picture.
struct Spot {
  float x, y;
  float log_sigma;  // base 2, of the same unit
  float angle;      // radians
};

// x, y (10 bits each), tenths of an octave above the least sigma (6) and 64ths of a turn (6).
std::uint32_t pack(const Spot& spot);
Spot unpack(std::uint32_t geometry);

struct Record {
  std::vector<std::uint32_t> geometries;
  std::vector<Code> codes;
  float width, height;  // of the picture, in units of places
};

// Sides of a picture in units of places.
void extent(std::size_t cols, std::size_t rows, float& width, float& height);

// Empty under kLeastRecorded points.
std::string write_record(const std::vector<Spot>& spots, const std::vector<Code>& codes,
                         std::size_t cols, std::size_t rows);

// The number of points of a sound record; throws std::invalid_argument saying what is wrong.
std::size_t check_record(const char* bytes, std::size_t size);

Record read_record(const char* bytes, std::size_t size);

}  // namespace egide::local
