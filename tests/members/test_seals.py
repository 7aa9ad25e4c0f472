"""Seals: known answers from the standards, and proofs that only the true leaf passes."""

import hashlib
import hmac
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from hypothesis import given
from hypothesis import strategies as st

from members import seals

# The test tree of RFC 6962's reference implementation (certificate-transparency, merkle_tree_test).
LEAVES = [
    bytes.fromhex(word)
    for word in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]

# RFC 8032, section 7.1, test 1.
SEED = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
PUBLIC = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"


@pytest.mark.parametrize("count", range(1, 9))
def test_roots_are_those_of_the_reference_tree(count: int) -> None:
    assert seals.root(LEAVES[:count]).hex() == ROOTS[count - 1]


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert seals.root([]) == hashlib.sha256(b"").digest()


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=40), st.data())
def test_every_leaf_proves_itself_and_no_other_content_does(leaves: list[bytes], draw: st.DataObject) -> None:
    index = draw.draw(st.integers(min_value=0, max_value=len(leaves) - 1))
    path = seals.proof(leaves, index)
    assert seals.root_from_proof(content=leaves[index], index=index, count=len(leaves), path=path) == seals.root(leaves)
    other = seals.root_from_proof(content=leaves[index] + b"!", index=index, count=len(leaves), path=path)
    assert other != seals.root(leaves)


@given(st.lists(st.binary(min_size=1, max_size=4), min_size=2, max_size=40, unique=True), st.data())
def test_a_proof_does_not_fit_another_place(leaves: list[bytes], draw: st.DataObject) -> None:
    index = draw.draw(st.integers(min_value=0, max_value=len(leaves) - 1))
    other = draw.draw(st.integers(min_value=0, max_value=len(leaves) - 1).filter(lambda place: place != index))
    path = seals.proof(leaves, index)
    try:
        led_to = seals.root_from_proof(content=leaves[index], index=other, count=len(leaves), path=path)
    except seals.CannotSeal:
        return
    assert led_to != seals.root(leaves)


def test_a_proof_of_the_wrong_length_is_refused() -> None:
    path = seals.proof(LEAVES, 3)
    assert len(path) == 3
    for wrong in (path[:-1], [*path, path[0]]):
        with pytest.raises(seals.CannotSeal):
            seals.root_from_proof(content=LEAVES[3], index=3, count=8, path=wrong)
    with pytest.raises(seals.CannotSeal):
        seals.proof(LEAVES, 8)
    with pytest.raises(seals.CannotSeal):
        seals.proof(LEAVES, -1)


def test_json_has_one_form() -> None:
    # RFC 8785, section 3.2.3: keys by UTF-16 code units.
    assert seals.canonical({"b": 1, "a": [True, None, "é"], "€": 0}) == '{"a":[true,null,"é"],"b":1,"€":0}'.encode()
    assert seals.canonical({"a": 1, "b": 2}) == seals.canonical({"b": 2, "a": 1})
    assert seals.sha256_of({"a": 1}) == hashlib.sha256(b'{"a":1}').hexdigest()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53, -(2**53), {"n": 2**60}])
def test_what_json_cannot_say_exactly_is_refused(value: object) -> None:
    with pytest.raises(seals.CannotSeal):
        seals.canonical(value)


def test_the_key_of_the_standard_signs_as_the_standard_says(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(SEED + "\n")
    file.chmod(0o600)
    key = seals.load_key(str(file))
    assert seals.public_bytes(key).hex() == PUBLIC
    # The standard's test 1 signs the empty message.
    assert key.sign(b"").hex() == (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
        "d25bf5f0595bbe24655141438e7a100b"
    )
    sealed = seals.sign({"a": 1}, key=key)
    assert sealed["key"] == hashlib.sha256(bytes.fromhex(PUBLIC)).hexdigest()[:16]
    key.public_key().verify(bytes.fromhex(sealed["signature"]), b'{"a":1}')
    with pytest.raises(InvalidSignature):
        key.public_key().verify(bytes.fromhex(sealed["signature"]), b'{"a":2}')


def test_a_key_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    with pytest.raises(seals.CannotSeal):
        seals.load_key("")
    with pytest.raises(seals.CannotSeal):
        seals.load_key(str(tmp_path / "missing"))
    for name, text, mode in (
        ("open", SEED, 0o644),
        ("group", SEED, 0o640),
        ("short", SEED[:-2], 0o600),
        ("words", "not hexadecimal", 0o600),
    ):
        file = tmp_path / name
        file.write_text(text)
        file.chmod(mode)
        with pytest.raises(seals.CannotSeal):
            seals.load_key(str(file))


def test_every_leaf_of_every_size_to_257_proves_itself() -> None:
    contents = [number.to_bytes(2, "big") for number in range(257)]
    hashes = [seals.leaf_hash(content) for content in contents]
    tree = seals.Tree()
    assert tree.root() == seals.hashes_root([]) == seals.root([])
    for count in range(1, 258):
        tree.add(hashes[count - 1])
        root = seals.root(contents[:count])
        assert tree.root() == seals.hashes_root(hashes[:count]) == root
        # Every place of the small ones; of larger ones the edges, where paths are shortest and longest, and the middle.
        for index in range(count) if count <= 33 else {0, 1, count // 2, count - 2, count - 1}:
            path = seals.hashes_proof(hashes[:count], index)
            assert path == seals.proof(contents[:count], index)
            led_to = seals.root_from_proof(content=contents[index], index=index, count=count, path=path)
            assert led_to == root
    for index in (-1, 257):
        with pytest.raises(seals.CannotSeal):
            seals.hashes_proof(hashes, index)


def test_the_secret_of_a_purpose_follows_from_the_key(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(SEED)
    file.chmod(0o600)
    key = seals.load_key(str(file))
    # RFC 5869 with SHA-256, no salt, the purpose as info: HMAC(HMAC(0^32, seed), purpose || 0x01).
    extracted = hmac.digest(bytes(32), bytes.fromhex(SEED), "sha256")
    assert seals.secret(key, purpose="a month") == hmac.digest(extracted, b"a month\x01", "sha256")
    assert seals.secret(key, purpose="another") != seals.secret(key, purpose="a month")
