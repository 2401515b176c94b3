"""Charsets, HTTP payloads, URLs and languages."""

import gzip
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.archives.charset import decode_page
from corpus.archives.http_payload import PayloadError, dechunk, decoded_body, parse_http
from corpus.html.language import detect_language
from corpus.tables.urls import canonical_url, parse_url, url_key

TEXTS = {
    "utf-8": "Función – 数学 – α",
    "gb18030": "数学是研究数量、结构、变化、空间以及信息等概念的一门学科。",
    "big5": "數學是研究數量、結構以及空間等概念的一門學科。",
    "shift_jis": "これは数学の問題です。次の方程式を解きなさい。",
    "euc-jp": "これは数学の問題です。次の方程式を解きなさい。",
    "euc-kr": "수학은 수량과 구조를 연구하는 학문이다.",
    "koi8-r": "Математика изучает числа и пространства.",
    "windows-1251": "Математика изучает числа и пространства.",
    "iso-8859-1": "Die Größe des Wörterbuchs wächst über alle Maßen.",
    "utf-16": "Función – α",
}


@pytest.mark.parametrize("name", TEXTS)
def test_the_charset_of_the_header_is_used(name):
    page = f"<p>{TEXTS[name]}</p>" * 5
    assert decode_page(page.encode(name), f"text/html; charset={name}")[0] == page


@pytest.mark.parametrize("name", [name for name in TEXTS if name != "utf-16"])
def test_the_charset_of_the_page_is_used_when_the_header_has_none_or_lies(name):
    page = f'<html><head><meta charset="{name}"></head><p>{TEXTS[name]}</p></html>'
    for header in ("text/html", "text/html; charset=utf-8", "text/html; charset=no-such"):
        assert decode_page(page.encode(name), header)[0] == page


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=400),
    st.sampled_from(["", "text/html; charset=utf-8", "text/html; charset=gb18030"]),
)
def test_any_bytes_become_text_that_can_be_stored(body, header):
    text, _ = decode_page(body, header)
    assert "\0" not in text
    text.encode("utf-8")


def _response(body: bytes, *headers: str) -> bytes:
    return "\r\n".join(["HTTP/1.1 200 OK", *headers, "", ""]).encode() + body


def _raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


def _chunked(body: bytes) -> bytes:
    parts = [body[i : i + 7] for i in range(0, len(body), 7)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


@pytest.mark.parametrize(
    ("encode", "headers"),
    [
        (gzip.compress, ["Content-Encoding: gzip"]),
        (zlib.compress, ["Content-Encoding: deflate"]),
        (_raw_deflate, ["Content-Encoding: deflate"]),
        (_chunked, ["Transfer-Encoding: chunked"]),
        (
            lambda b: _chunked(gzip.compress(b)),
            ["Content-Encoding: gzip", "Transfer-Encoding: chunked"],
        ),
        (lambda b: b, ["Content-Encoding: gzip"]),
        (lambda b: b, ["Transfer-Encoding: chunked"]),
        (lambda b: b, ["Content-Encoding: identity"]),
    ],
)
def test_encodings_are_undone_and_false_declarations_do_no_harm(encode, headers):
    body = b"<html><p>Some text of a page that is long enough.</p></html>"
    assert decoded_body(parse_http(_response(encode(body), *headers)), 1000) == body


def test_a_compression_bomb_is_refused_at_the_limit():
    bomb = gzip.compress(b"a" * 10_000_000)
    with pytest.raises(PayloadError, match="too_large"):
        decoded_body(parse_http(_response(bomb, "Content-Encoding: gzip")), 100_000)


@given(st.binary(max_size=300))
def test_chunks_of_any_body_come_back(body):
    assert dechunk(_chunked(body), 1000) == body


def test_odd_headers_are_read_as_far_as_they_go():
    http = parse_http(
        b"HTTP/1.1 200\nContent-Type: text/html\n ; charset=x\nno colon\nX : y\n\n<p>"
    )
    assert http.status == 200
    assert http.get("content-type") == "text/html ; charset=x"
    assert http.body == b"<p>"
    assert parse_http(b"<html>bare</html>").body == b"<html>bare</html>"


@pytest.mark.parametrize(
    "same",
    [
        ("http://www.example.com/a/", "https://example.com/a", "https://EXAMPLE.com:443/a#part"),
        (
            "https://a.org/?b=2&a=1",
            "https://a.org/?a=1&b=2&utm_source=x",
            "http://a.org?a=1&b=2&PHPSESSID=9",
        ),
        ("https://a.org/%7Ebob/x", "https://a.org/~bob/x"),
    ],
)
def test_addresses_of_one_page_have_one_key(same):
    assert len({url_key(url) for url in same}) == 1


def test_different_pages_have_different_keys():
    urls = [
        "https://a.org/x",
        "https://a.org/X",
        "https://a.org/x?p=1",
        "https://b.a.org/x",
        "https://a.org:8080/x",
    ]
    assert len({url_key(url) for url in urls}) == len(urls)


def test_domains_are_what_an_owner_registers():
    assert parse_url("https://maths.ox.ac.uk/x").domain == "ox.ac.uk"
    assert parse_url("https://a.b.example.com/").domain == "example.com"
    assert parse_url("http://127.0.0.1/").domain == "127.0.0.1"
    with pytest.raises(ValueError, match="no host"):
        parse_url("not a url")


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_canonical_form_accepts_anything_and_is_stable(url):
    assert canonical_url(url) == canonical_url(url)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The mean of the sample is an estimate of the mean that we want to know.", "en"),
        ("函数在区间上连续，则它在该区间上可积，这是一个基本的结论。", "zh"),
        ("これは数学の問題です。次の式を解きなさい。解答も書くこと。", "ja"),
        ("Функция непрерывна на отрезке, поэтому она интегрируема.", "ru"),
        ("Η συνάρτηση είναι συνεχής στο διάστημα αυτό και ολοκληρώσιμη.", "el"),
        ("الدالة مستمرة على الفترة المغلقة وبالتالي قابلة للتكامل", "ar"),
        ("함수는 닫힌 구간에서 연속이므로 적분 가능하다는 것을 안다.", "ko"),
        ("Die Funktion ist auf dem Intervall stetig und daher auch integrierbar.", "de"),
        (
            "La fonction est continue sur cet intervalle, elle est donc intégrable dans les deux cas.",
            "fr",
        ),
        ("", "und"),
        ("$x^2 + y^2 = z^2$ and\n", "und"),
    ],
)
def test_languages_are_told_apart(text, language):
    assert detect_language(text)[0] == language
