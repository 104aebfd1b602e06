#include "distributed/io/npy_header.hpp"

#include <random>
#include <string>

#include <gtest/gtest.h>

#include "kernels/error.hpp"
#include "tests/support/rank_test.hpp"

namespace recombine {
namespace {

/// The bytes that numpy.save writes before the elements.
std::string numpy_header(const std::string& literal) {
  return std::string("\x93NUMPY\x01\x00v\x00", 10) + literal + std::string(117 - literal.size(), ' ') + '\n';
}

std::string error_of(const std::string& start, std::int64_t file_bytes) {
  try {
    parse_npy_header("--a a.npy", start, file_bytes);
  } catch (const InputError& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  return "accepted";
}
std::string error_of(const std::string& literal) { return error_of(numpy_header(literal), 128 + 48); }

TEST(NpyHeader, IsWrittenAsNumpyDoes) {
  EXPECT_EQ(format_npy_header({.type = DataType::f32, .rows = 3, .cols = 4}),
            numpy_header("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }"));
  EXPECT_EQ(format_npy_header({.type = DataType::f64, .rows = 3, .cols = 4, .order = MatrixOrder::columns}),
            numpy_header("{'descr': '<f8', 'fortran_order': True, 'shape': (3, 4), }"));
  EXPECT_EQ(format_npy_header({.type = DataType::f32, .rows = 0, .cols = 123456789}),
            numpy_header("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 123456789), }"));
  EXPECT_THROW(format_npy_header({.type = DataType::bf16}), Error);
}

TEST(NpyHeader, IsReadBackAsWritten) {
  for (const DataType type : {DataType::f32, DataType::f64}) {
    for (const MatrixOrder order : {MatrixOrder::rows, MatrixOrder::columns}) {
      for (const std::int64_t rows : {0L, 1L, 257L, 1L << 40}) {
        const std::string bytes = format_npy_header({.type = type, .rows = rows, .cols = 65537, .order = order});
        const auto length = static_cast<std::int64_t>(bytes.size());
        EXPECT_EQ(length % 64, 0);
        const NpyHeader back = parse_npy_header("", bytes, length + rows * 65537 * size_of(type));
        EXPECT_EQ(back.type, type);
        EXPECT_EQ(back.order, order);
        EXPECT_EQ(back.rows, rows);
        EXPECT_EQ(back.cols, 65537);
        EXPECT_EQ(back.data_offset, length);
      }
    }
  }
}

TEST(NpyHeader, OtherVersionsAndSpellingsAreRead) {
  const std::string literal = "{\"shape\":(3L,4L),\"fortran_order\":True,\"descr\":\"<f8\"}\n";
  const std::string length = {static_cast<char>(literal.size()), '\0', '\0', '\0'};
  for (const char major : {'\x02', '\x03'}) {
    const std::string bytes = std::string("\x93NUMPY") + major + '\0' + length + literal;
    const auto size = static_cast<std::int64_t>(bytes.size());
    const NpyHeader header = parse_npy_header("", bytes, size + 96);
    EXPECT_EQ(header.rows, 3);
    EXPECT_EQ(header.cols, 4);
    EXPECT_EQ(header.type, DataType::f64);
    EXPECT_EQ(header.order, MatrixOrder::columns);
    EXPECT_EQ(header.data_offset, size);
  }
}

/// Checked against numpy 2: each is read, and so has to be here.
TEST(NpyHeader, SpellingsOfNumpyAreRead) {
  for (const char* literal : {"{'descr': '<f4', 'fortran_order': False, 'shape': (3L, 4L), }",
                              "{'shape':(3,4),'descr':'<f4','fortran_order':False}",
                              "{\"shape\" : (3 , 4 ,) , \"descr\" : \"<f4\" , \"fortran_order\" : False}",
                              "  {'shape':(3,4),'descr':'<f4','fortran_order':False}\n\n",
                              "\n\t{'shape':(3,\n4),\r\n'descr':'<f4',\f'fortran_order':False}\f",
                              "{u'shape':(+3,4 L),u'descr':r'<f4',u'fortran_order':False}",
                              "{'shape':(3,4),# rows, columns\n'descr':'<f4','fortran_order':False,} # end"}) {
    for (const std::int64_t padding : {0, 1, 64}) {
      const std::string text = literal + std::string(static_cast<std::size_t>(padding), ' ');
      const std::string bytes = std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(text.size()) + '\0' + text;
      const auto size = static_cast<std::int64_t>(bytes.size());
      const NpyHeader header = parse_npy_header("", bytes, size + 48);
      EXPECT_EQ(header.shape, (std::vector<std::int64_t>{3, 4})) << literal;
      EXPECT_EQ(header.data_offset, size) << literal;
    }
  }
}

TEST(NpyHeader, ErrorsSayWhatIsExpected) {
  EXPECT_EQ(error_of("", 0), "--a a.npy: is empty; expected an array saved by numpy.save");
  EXPECT_EQ(error_of("PK\x03\x04 and more", 100),
            "--a a.npy: is an .npz archive of several arrays; expected one array: save it by numpy.save('A.npy', "
            "numpy.load('FILE.npz')['NAME'])");
  EXPECT_EQ(error_of("\x89HDF\r\n and more", 100),
            "--a a.npy: is not a .npy file (it begins with '\\x89HDF\\x0d\\x0a'); expected an array saved by "
            "numpy.save");
  EXPECT_EQ(error_of("\x93NUM", 4),
            "--a a.npy: is cut short: 4 bytes are too few for a header; expected an array saved by numpy.save");
  EXPECT_EQ(error_of(std::string("\x93NUMPY\x04\x00v\x00{'", 12), 12),
            "--a a.npy: has .npy version 4.0; expected 1.0, 2.0 or 3.0");
  EXPECT_EQ(error_of(std::string("\x93NUMPY\x01\x00v\x00{'", 12), 12),
            "--a a.npy: is cut short: has 12 bytes; expected 128, as its header announces");
  EXPECT_EQ(error_of(std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff", 12), 12),
            "--a a.npy: its header is 4294967295 bytes long; expected at most 65535");
}

TEST(NpyHeader, EveryNameOfATypeIsRead) {
  const auto type_of = [](const std::string& descr) {
    const std::string bytes = numpy_header("{'descr': " + descr + ", 'fortran_order': False, 'shape': (0, 4), }");
    return parse_npy_header("--a a.npy", bytes, 128).type;
  };
  EXPECT_EQ(type_of("'<f4'"), FileType(DataType::f32));
  EXPECT_EQ(type_of("'<f8'"), FileType(DataType::f64));
  EXPECT_EQ(type_of("'>f4'"), FileType(Element::f4, ByteOrder::big));
  EXPECT_EQ(type_of("'>i8'"), FileType(Element::i8, ByteOrder::big));
  EXPECT_EQ(type_of("'>u1'"), FileType(Element::u1)) << "one byte has no order";
  struct Names {
    Element element;
    std::vector<std::string> names;
  };
  for (const auto& [element, names] : std::vector<Names>{{Element::b1, {"|b1", "?", "bool"}},
                                                         {Element::i1, {"|i1", "<b", "int8"}},
                                                         {Element::i2, {"<i2", "=h", "int16"}},
                                                         {Element::i4, {"<i4", "i", "int32"}},
                                                         {Element::i8, {"<i8", "<q", "|l", "int64", "int"}},
                                                         {Element::u1, {"|u1", "B", "uint8"}},
                                                         {Element::u2, {"<u2", "H", "uint16"}},
                                                         {Element::u4, {"<u4", "<I", "uint32"}},
                                                         {Element::u8, {"<u8", "L", "Q", "uint64"}},
                                                         {Element::f2, {"<f2", "e", "float16", "half"}},
                                                         {Element::f4, {"f4", "=f4", "|f4", "float32", "f"}},
                                                         {Element::f8, {"f8", "float64", "double", "d"}}}) {
    for (const std::string& name : names) EXPECT_EQ(type_of("'" + name + "'"), FileType(element)) << name;
  }
}

TEST(NpyHeader, OtherTypesAreRefusedWithWhatToDo) {
  const auto typed = [](const std::string& descr) {
    return error_of("{'descr': " + descr + ", 'fortran_order': False, 'shape': (3, 4), }");
  };
  EXPECT_EQ(typed("'<f4'"), "accepted");
  EXPECT_EQ(typed("'<c8'"),
            "--a a.npy: has elements of type '<c8', complex numbers; expected real ones: save A.real and A.imag of the "
            "array A");
  EXPECT_EQ(typed("'|O'"),
            "--a a.npy: has elements of type '|O', Python objects; expected numbers: save A.astype('float32') of the "
            "array A");
  for (const auto& [descr, text] : {std::pair{"'<c16'", "complex"},
                                    {"'D'", "complex"},
                                    {"'complex64'", "complex"},
                                    {"'<U5'", "texts"},
                                    {"'|S5'", "texts"},
                                    {"'<M8[ns]'", "dates or times; expected numbers: save A.astype('int64')"},
                                    {"'<f16'", "long doubles; expected f2, f4 or f8: save A.astype('float64')"},
                                    {"'|V2'", "no type that is known here"},
                                    {"'<float32'", "no type that is known here"},
                                    {"'<f04'", "no type that is known here"},
                                    {"[('x', '<f4')]", "several fields; expected numbers"},
                                    {"('<f4', (2,))", "several fields; expected numbers"},
                                    {"'f4,i4'", "several fields; expected numbers"}}) {
    EXPECT_NE(typed(descr).find(text), std::string::npos) << typed(descr);
  }
}

TEST(NpyHeader, AMatrixHasTwoDimensions) {
  const auto refused = [](const std::string& shape) {
    const std::string bytes = numpy_header("{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }");
    try {
      require_matrix("--a a.npy", parse_npy_header("--a a.npy", bytes, 128 + 48));
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  EXPECT_EQ(refused("(4, 3)"), "accepted");
  EXPECT_EQ(
      refused("(12,)"),
      "--a a.npy: has 1 dimension; expected 2: save A.reshape(12, 1), a column, or A.reshape(1, 12), a row, of the "
      "array A");
  EXPECT_EQ(refused("(2, 3, 2)"),
            "--a a.npy: has 3 dimensions [2,3,2]; expected 2: save A.reshape(2, 6) of the array A, or one of its "
            "matrices");
}

TEST(NpyHeader, ShapesThatDoNotFitAreRefused) {
  const auto shaped = [](const std::string& shape) {
    return error_of("{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }");
  };
  EXPECT_EQ(shaped("(4, 3)"), "accepted");
  for (const char* shape : {"(12,)", "(2, 3, 2)", "(1, 2, 3, 2)"}) EXPECT_EQ(shaped(shape), "accepted");
  EXPECT_EQ(shaped("()"), "--a a.npy: has 0 dimensions; expected 1 to 4");
  EXPECT_EQ(shaped("(1, 1, 3, 2, 2)"), "--a a.npy: has 5 dimensions; expected 1 to 4");
  EXPECT_EQ(shaped("(100, 10)"), "--a a.npy: is cut short: has 176 bytes; expected 4128, as its header announces");
  EXPECT_EQ(shaped("(3, 2)"), "--a a.npy: is too long: has 176 bytes; expected 152, as its header announces");
  EXPECT_EQ(shaped("(-3, -4)"), "--a a.npy: its header announces an extent of -3; expected 0 to 2^63 - 1");
  EXPECT_EQ(shaped("(9223372036854775808, 0)"),
            "--a a.npy: its header announces an extent of 9223372036854775808; expected 0 to 2^63 - 1");
  for (const char* shape : {"(4294967296, 4294967296)", "(1, 4294967296, 4294967296, 0)", "(2305843009213693952, 2)",
                            "(2305843009213693950, 1)"}) {
    EXPECT_NE(shaped(shape).find("more than a file can hold"), std::string::npos) << shaped(shape);
  }
}

TEST(NpyHeader, DamageIsShown) {
  for (const char* literal :
       {"", "{", "{}", "{'descr': '<f4', 'fortran_order': False, }", "{'descr': '<f4', 'descr': '<f4'}",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (3, 4), }", "{'descr", "{'descr': '<f4",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } x",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3 4), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3, x), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': [3, 4], }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), 'more': 1}"}) {
    EXPECT_NE(error_of(literal).find("its header is damaged at '"), std::string::npos) << literal << error_of(literal);
  }
}

TEST(NpyHeader, AnyBytesAreReadOrRefused) {
  std::mt19937 random(static_cast<unsigned>(test::session().rank()));  // the same in every run
  const std::string good = numpy_header("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }");
  const std::string alphabet = std::string("\x01\x02{}()[]'\",: LTF0123456789-+#u<>|fib248\n\xff") + '\0';
  for (int times = 0; times < 50000; ++times) {
    std::string bytes = good;
    for (int changes = 1 + static_cast<int>(random() % 3); changes > 0; --changes) {
      const std::size_t at = random() % 80;
      switch (random() % 3) {
        case 0: bytes[at] = alphabet[random() % alphabet.size()]; break;
        case 1: bytes.erase(at, 1 + random() % 5); break;
        default: bytes.insert(at, 1, alphabet[random() % alphabet.size()]); break;
      }
    }
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    const std::int64_t file_bytes = static_cast<std::int64_t>(bytes.size()) + 48;
    try {
      const NpyHeader header = parse_npy_header("--a a.npy", bytes, file_bytes);
      ASSERT_TRUE(header.rows >= 0 && header.cols >= 0 && header.file_bytes() == file_bytes);
    } catch (const InputError& error) {
      ASSERT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace recombine
