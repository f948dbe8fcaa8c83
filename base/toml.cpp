/* The one C++ file: toml++ parses, C structs carry the result away. */
#include "config.h"

#include "base/toml.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

/* Some malformed keys meet an assertion of toml++ instead of an error. */
[[noreturn]] static void refuse_toml()
{
    throw std::logic_error("malformed");
}
#define TOML_ASSERT(expr) ((expr) ? void(0) : refuse_toml())
#include <toml++/toml.h>

namespace
{

char *copy_text(const std::string &text)
{
    char *copy = static_cast<char *>(std::malloc(text.size() + 1));
    if (copy == nullptr) {
        std::abort();
    }
    std::memcpy(copy, text.c_str(), text.size() + 1);
    return copy;
}

toml_value *copy_values(const std::vector<toml_value> &from)
{
    if (from.empty()) {
        return nullptr;
    }
    void *copy = std::calloc(from.size(), sizeof(toml_value));
    if (copy == nullptr) {
        std::abort();
    }
    std::memcpy(copy, from.data(), from.size() * sizeof(toml_value));
    return static_cast<toml_value *>(copy);
}

toml_value convert(const toml::node &node)
{
    toml_value value{};
    value.line = node.source().begin.line;
    value.type = TOML_OTHER;
    if (const auto *text = node.as_string()) {
        value.type = TOML_TEXT;
        value.text = copy_text(text->get());
    } else if (const auto *integer = node.as_integer()) {
        value.type = TOML_INTEGER;
        value.integer = integer->get();
        value.number = static_cast<double>(integer->get());
    } else if (const auto *number = node.as_floating_point()) {
        value.type = TOML_NUMBER;
        value.number = number->get();
    } else if (const auto *flag = node.as_boolean()) {
        value.type = TOML_BOOL;
        value.integer = flag->get() ? 1 : 0;
    } else if (const auto *array = node.as_array()) {
        std::vector<toml_value> items;
        value.type = TOML_ARRAY;
        for (const auto &item : *array) {
            if (item.is_array() || item.is_table()) {
                value.type = TOML_OTHER;
            } else {
                items.push_back(convert(item));
            }
        }
        value.items = copy_values(items);
        value.item_count = items.size();
    }
    return value;
}

void flatten(std::vector<toml_value> &out, const toml::table &table,
             const std::string &prefix, unsigned depth)
{
    for (const auto &[key, node] : table) {
        std::string name = prefix + std::string(key.str());
        if (const auto *inner = node.as_table(); inner && depth < 4) {
            flatten(out, *inner, name + ".", depth + 1);
        } else {
            toml_value value = convert(node);
            value.key = copy_text(name);
            out.push_back(value);
        }
    }
}

void free_values(toml_value *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        std::free(values[i].key);
        std::free(values[i].text);
        free_values(values[i].items, values[i].item_count);
    }
    std::free(values);
}

} // namespace

enum pot_err toml_parse(struct toml_file *out, const char *text, unsigned *line,
                        char *message, size_t message_size)
{
    *out = toml_file{};
    *line = 0;
    try {
        toml::table table = toml::parse(std::string_view(text));
        std::vector<toml_value> values;
        flatten(values, table, "", 0);
        std::stable_sort(values.begin(), values.end(),
                         [](const toml_value &a, const toml_value &b) {
                             return a.line < b.line;
                         });
        out->values = copy_values(values);
        out->count = values.size();
        return POT_OK;
    } catch (const toml::parse_error &error) {
        *line = error.source().begin.line;
        std::snprintf(message, message_size, "%s",
                      std::string(error.description()).c_str());
    } catch (const std::exception &error) {
        std::snprintf(message, message_size, "%s", error.what());
    }
    return POT_EFORMAT;
}

void toml_free(struct toml_file *file)
{
    free_values(file->values, file->count);
    *file = toml_file{};
}

const struct toml_value *toml_find(const struct toml_file *file,
                                   const char *key)
{
    for (size_t i = 0; i < file->count; i++) {
        if (std::strcmp(file->values[i].key, key) == 0) {
            return &file->values[i];
        }
    }
    return nullptr;
}
