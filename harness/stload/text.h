// Numbers as people read them.
#pragma once

#include <cstdint>
#include <string>

#include "harness/stload/clock.h"

namespace stload {

std::string grouped(std::uint64_t number);       // 1,234,567
std::string decimal(double number, int digits);  // grouped as well
std::string brief(Duration time);                // three or four digits: 12.3 us, 4.56 ms, 1.2 s

}  // namespace stload
