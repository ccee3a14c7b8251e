#include <cstdlib>
#include <iostream>

#include "sieve.h"

int main(int count, char **words) {
    unsigned below = count > 1 ? std::strtoul(words[1], nullptr, 10) : 30;
    for (unsigned prime : primes(below)) std::cout << prime << '\n';
}
