"""One small project per language: a wish in a comment, a function to act on, and what must stay around them."""

from __future__ import annotations

from dataclasses import dataclass

WISH = "a function `largest` that returns the largest of two numbers"


@dataclass(frozen=True)
class Project:
    """`before`, `wish`, `target` and `after` make the file; `others` lie beside it. Each part ends with a line end."""

    language: str
    path: str
    before: str
    wish: str
    target: str
    after: str
    others: dict[str, str]

    @property
    def text(self):
        return "\n".join((self.before, self.wish, self.target, self.after))

    def lines_of(self, part):
        """Give the first and the last line of a part, from 0."""
        first = self.text.count("\n", 0, self.text.index(part))
        return first, first + part.count("\n") - 1


PROJECTS = {
    project.language: project
    for project in (
        Project(
            "python",
            "src/shop/basket.py",
            "import json\n\n\ndef load(path: str) -> dict:\n    with open(path) as file:\n"
            "        return json.load(file)\n\n",
            f"# Write {WISH}.\n\n",
            "def total(prices, discount):\n    result = 0\n    for index in range(len(prices)):\n"
            "        result = result + prices[index]\n    return result - result * discount / 100\n\n",
            'def name_of(item):\n    return item["name"] + "·数"\n',
            {"pyproject.toml": '[project]\nname = "shop"\n', "tests/test_load.py": "def test_nothing():\n    pass\n"},
        ),
        Project(
            "javascript",
            "src/basket.js",
            'const fs = require("fs");\n\nfunction load(path) {\n'
            '  return JSON.parse(fs.readFileSync(path, "utf8"));\n}\n',
            f"// Write {WISH}.\n",
            "function total(prices, discount) {\n  let result = 0;\n  for (let i = 0; i < prices.length; i++) {\n"
            "    result = result + prices[i];\n  }\n  return result - (result * discount) / 100;\n}\n",
            'function nameOf(item) {\n  return item.name + "·数";\n}\n\nmodule.exports = { load, total, nameOf };\n',
            {"package.json": '{"name": "shop", "devDependencies": {"jest": "29"}}\n'},
        ),
        Project(
            "typescript",
            "src/basket.ts",
            'import { readFileSync } from "fs";\n\nexport function load(path: string): unknown {\n'
            '  return JSON.parse(readFileSync(path, "utf8"));\n}\n',
            f"// Write {WISH}.\n",
            "export function total(prices: number[], discount: number): number {\n  let result = 0;\n"
            "  for (let i = 0; i < prices.length; i++) {\n    result = result + prices[i];\n  }\n"
            "  return result - (result * discount) / 100;\n}\n",
            'export function nameOf(item: { name: string }): string {\n  return item.name + "·数";\n}\n',
            {"package.json": '{"name": "shop", "type": "module", "devDependencies": {"vitest": "2"}}\n'},
        ),
        Project(
            "go",
            "basket.go",
            'package shop\n\nimport "os"\n\nfunc load(path string) ([]byte, error) {\n\treturn os.ReadFile(path)\n}\n',
            f"// Write {WISH}.\n",
            "func total(prices []float64, discount float64) float64 {\n\tresult := 0.0\n"
            "\tfor i := 0; i < len(prices); i++ {\n\t\tresult = result + prices[i]\n\t}\n"
            "\treturn result - result*discount/100\n}\n",
            'func nameOf(name string) string {\n\treturn name + "·数"\n}\n',
            {"go.mod": "module example.com/shop\n\ngo 1.21\n"},
        ),
        Project(
            "rust",
            "src/lib.rs",
            "use std::fs;\n\npub fn load(path: &str) -> String {\n"
            "    fs::read_to_string(path).unwrap_or_default()\n}\n",
            f"// Write {WISH}.\n",
            "pub fn total(prices: &[f64], discount: f64) -> f64 {\n    let mut result = 0.0;\n"
            "    for i in 0..prices.len() {\n        result = result + prices[i];\n    }\n"
            "    result - result * discount / 100.0\n}\n",
            'pub fn name_of(name: &str) -> String {\n    format!("{}·数", name)\n}\n',
            {"Cargo.toml": '[package]\nname = "shop"\nversion = "0.1.0"\nedition = "2021"\n'},
        ),
        Project(
            "java",
            "src/main/java/shop/Basket.java",
            "package shop;\n\nimport java.util.List;\n\npublic class Basket {\n"
            "    static int count(List<Double> prices) {\n"
            "        return prices.size();\n    }\n",
            f"    // Write {WISH}.\n",
            "    static double total(List<Double> prices, double discount) {\n        double result = 0;\n"
            "        for (int i = 0; i < prices.size(); i++) {\n"
            "            result = result + prices.get(i);\n        }\n"
            "        return result - result * discount / 100;\n    }\n",
            '    static String nameOf(String name) {\n        return name + "·数";\n    }\n}\n',
            {"pom.xml": "<project><artifactId>junit-jupiter</artifactId></project>\n"},
        ),
        Project(
            "c",
            "basket.c",
            "#include <stddef.h>\n\nsize_t count(const char *text) {\n    size_t n = 0;\n    while (text[n] != 0) {\n"
            "        n++;\n    }\n    return n;\n}\n",
            f"// Write {WISH}.\n",
            "double total(const double *prices, size_t n, double discount) {\n    double result = 0;\n"
            "    for (size_t i = 0; i < n; i++) {\n        result = result + prices[i];\n    }\n"
            "    return result - result * discount / 100;\n}\n",
            'const char *name_of(void) {\n    return "·数";\n}\n',
            {"Makefile": "test:\n\tcc -c basket.c\n"},
        ),
        Project(
            "cpp",
            "basket.cpp",
            "#include <string>\n#include <vector>\n\n"
            "size_t count(const std::string &text) {\n    return text.size();\n}\n",
            f"// Write {WISH}.\n",
            "double total(const std::vector<double> &prices, double discount) {\n    double result = 0;\n"
            "    for (size_t i = 0; i < prices.size(); i++) {\n        result = result + prices[i];\n    }\n"
            "    return result - result * discount / 100;\n}\n",
            'std::string name_of(const std::string &name) {\n    return name + "·数";\n}\n',
            {"CMakeLists.txt": "add_library(basket basket.cpp)\n"},
        ),
    )
}
