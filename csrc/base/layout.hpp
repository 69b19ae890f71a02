// Layout: declare C structs by a list of fields that also describes them, so that the caller can compare names, types
// and offsets when it loads the library.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

#define MEMTAPE_MEMBER(TYPE, NAME) TYPE NAME;
#define MEMTAPE_VISIT(TYPE, NAME) visitor.template field<TYPE>(#NAME, at + offsetof(Struct, NAME));

// FIELDS is a macro that applies its argument to the type and the name of each field. A field may be such a struct.
#define MEMTAPE_STRUCT(NAME, FIELDS)                         \
    struct NAME {                                            \
        FIELDS(MEMTAPE_MEMBER)                               \
        template <typename Visitor>                          \
        static void visit(Visitor& visitor, size_t at = 0) { \
            using Struct = NAME;                             \
            FIELDS(MEMTAPE_VISIT)                            \
        }                                                    \
    };

// "name:type@offset" of every field, the fields of a struct within the struct in its place.
class Layout {
  public:
    template <typename Type>
    void field(const char* name, size_t at) {
        if constexpr (std::is_class_v<Type>)
            Type::visit(*this, at);
        else
            add(name, std::is_pointer_v<Type> ? "pointer" : std::is_same_v<Type, double> ? "double" : "int64", at);
    }

    template <typename Struct>
    static std::string of(const char* name) {
        Layout layout;
        Struct::visit(layout);
        return name + ("(" + layout.text + ") ");
    }

  private:
    std::string text;

    void add(const char* name, const char* type, size_t at) {
        if (!text.empty()) text += ",";
        text += std::string(name) + ":" + type + "@" + std::to_string(at);
    }
};

// "forward(first,second)" from the text of a function's parameters, "const void* first, int second".
inline std::string signature(const char* name, const std::string& parameters) {
    std::string names;
    for (size_t from = 0, to; from < parameters.size(); from = to + 1) {
        to = std::min(parameters.find(',', from), parameters.size());
        const size_t last = parameters.find_last_of(" *", to - 1) + 1;
        names += (from ? "," : "") + parameters.substr(last, to - last);
    }
    return name + ("(" + names + ") ");
}

#define MEMTAPE_AS_TEXT(...) #__VA_ARGS__
#define MEMTAPE_TEXT(...) MEMTAPE_AS_TEXT(__VA_ARGS__)
