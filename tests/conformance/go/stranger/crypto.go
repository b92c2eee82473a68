// Ed25519, key identifiers, Merkle trees (REG-1.0 sections 2.7 to 2.9).
package main

import (
	"crypto/ed25519"
	"math/big"
)

var (
	prime = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	one   = big.NewInt(1)
	curve = func() *big.Int { // −121665/121666 mod p
		d := new(big.Int).ModInverse(big.NewInt(121666), prime)
		return d.Mul(d, big.NewInt(-121665)).Mod(d, prime)
	}()
	smallOrder = func() []*big.Int {
		found := []*big.Int{big.NewInt(0), one, new(big.Int).Sub(prime, one)}
		for _, text := range []string{
			"7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7",
			"05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826",
		} {
			y, _ := new(big.Int).SetString(text, 16)
			found = append(found, y)
		}
		return found
	}()
)

// publicKey refuses what section 2.7 refuses.
func publicKey(data string) string {
	refuseIf(len(data) != 32)
	reversed := make([]byte, 32)
	for i := range reversed {
		reversed[31-i] = data[i]
	}
	reversed[0] &= 0x7f
	y := new(big.Int).SetBytes(reversed)
	refuseIf(y.Cmp(prime) >= 0)
	for _, small := range smallOrder {
		refuseIf(y.Cmp(small) == 0)
	}
	square := new(big.Int).Mul(y, y)
	below := new(big.Int).Mul(square, curve)
	below.Add(below, one).ModInverse(below, prime)
	square.Sub(square, one).Mul(square, below).Mod(square, prime)
	refuseIf(big.Jacobi(square, prime) != 1)
	return data
}

// verifies: Go's implementation refuses S ≥ L, and compares the encoding of [S]B − [k]A with R.
func verifies(key, signature string, message []byte) bool {
	return len(signature) == 64 && ed25519.Verify(ed25519.PublicKey(key), message, []byte(signature))
}

func kidOf(key string) string {
	return url(sha([]byte(`{"crv":"Ed25519","kty":"OKP","x":"` + url(key) + `"}`)))
}

func leafHash(entry []byte) string { return sha(append([]byte{0}, entry...)) }

func nodeHash(left, right string) string { return sha([]byte("\x01" + left + right)) }

// treeRoot is the root over these leaf hashes.
func treeRoot(leaves []string) string {
	switch len(leaves) {
	case 0:
		return sha(nil)
	case 1:
		return leaves[0]
	}
	k := 1
	for 2*k < len(leaves) {
		k *= 2
	}
	return nodeHash(treeRoot(leaves[:k]), treeRoot(leaves[k:]))
}

func included(leaf string, index, size int64, root string, path []string) bool {
	if index >= size {
		return false
	}
	fn, sn, x := index, size-1, leaf
	for _, p := range path {
		if sn == 0 {
			return false
		}
		if fn%2 == 1 || fn == sn {
			x = nodeHash(p, x)
			for fn%2 == 0 && fn != 0 {
				fn, sn = fn/2, sn/2
			}
		} else {
			x = nodeHash(x, p)
		}
		fn, sn = fn/2, sn/2
	}
	return sn == 0 && x == root
}

func consistent(m int64, a string, n int64, b string, proof []string) bool {
	if m == 0 {
		return len(proof) == 0 && a == sha(nil) && (n > 0 || a == b)
	}
	if m == n {
		return len(proof) == 0 && a == b
	}
	if m > n || len(proof) == 0 {
		return false
	}
	if m&(m-1) == 0 {
		proof = append([]string{a}, proof...)
	}
	fn, sn := m-1, n-1
	for fn%2 == 1 {
		fn, sn = fn/2, sn/2
	}
	fr, sr := proof[0], proof[0]
	for _, c := range proof[1:] {
		if sn == 0 {
			return false
		}
		if fn%2 == 1 || fn == sn {
			fr, sr = nodeHash(c, fr), nodeHash(c, sr)
			for fn%2 == 0 && fn != 0 {
				fn, sn = fn/2, sn/2
			}
		} else {
			sr = nodeHash(sr, c)
		}
		fn, sn = fn/2, sn/2
	}
	return sn == 0 && fr == a && sr == b
}
