"""What a model reads while it is converted (`convert_smoothing`): a bit of all that it is used for. Plain text only."""

from __future__ import annotations

TEXTS = (
    '''from __future__ import annotations

import json
from collections import Counter
from pathlib import Path


class Inventory:
    """Counts the parts in a warehouse, by name."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.parts: Counter[str] = Counter()

    def load(self) -> int:
        with self.path.open(encoding="utf-8") as file:
            for row in json.load(file):
                self.parts[row["name"]] += int(row.get("count", 1))
        return sum(self.parts.values())
''',
    """import { readFile } from "node:fs/promises";

export interface Reading {
  sensor: string;
  celsius: number;
  at: Date;
}

/** Gives the warmest reading of each sensor. */
export async function warmest(path: string): Promise<Map<string, Reading>> {
  const found = new Map<string, Reading>();
  for (const line of (await readFile(path, "utf8")).split("\\n")) {
    const [sensor, celsius, at] = line.split(",");
    if (!sensor || Number.isNaN(Number(celsius))) continue;
    found.set(sensor, { sensor, celsius: Number(celsius), at: new Date(at) });
  }
  return found;
}
""",
    """package queue

import (
\t"errors"
\t"sync"
)

var ErrEmpty = errors.New("queue: empty")

// Ring is a queue of fixed size; its zero value is not usable.
type Ring struct {
\tmu    sync.Mutex
\titems []int
\thead  int
\tsize  int
}

func (r *Ring) Pop() (int, error) {
\tr.mu.Lock()
\tdefer r.mu.Unlock()
\tif r.size == 0 {
\t\treturn 0, ErrEmpty
\t}
\tx := r.items[r.head]
\tr.head = (r.head + 1) % len(r.items)
\tr.size--
\treturn x, nil
}
""",
    '''请用 Python 编写一个函数，统计一段文字中每个单词出现的次数，并按次数从多到少排列。

```python
def count_words(text: str) -> list[tuple[str, int]]:
    """统计单词出现的次数。"""
    counts: dict[str, int] = {}
    for word in text.lower().split():
        counts[word] = counts.get(word, 0) + 1
    return sorted(counts.items(), key=lambda item: -item[1])
```

这个函数先把文字转换成小写，再按空格分开。
''',
    """Explain what this function does, then write a test for it.

```rust
/// Gives the greatest common divisor of two numbers.
pub fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_without_a_common_divisor() {
        assert_eq!(gcd(9, 28), 1);
    }
}
```

It repeats Euclid's step: the larger number is replaced by the remainder of the division, until nothing is left over.
""",
)
"""Each of a length that a tokenizer for code makes about 120 tokens of."""
N_TOKENS_MAX = 128
"""Of one text: what is read costs about two operations a weight and token."""
