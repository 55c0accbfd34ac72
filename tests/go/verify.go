// Checks what a log publishes with Go's own packages for checksum databases, which know nothing of
// Sayso: golang.org/x/mod/sumdb/note for signatures, .../tlog for the tree. Reads one JSON document,
// answers one. Its limits: note knows Ed25519 log keys (0x01) only, and tlog.ParseTree wants a first
// line of its own, so the three lines of a checkpoint are read here.
package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type Opening struct{ Key, Note string }

type Inclusion struct {
	Size, Index int64
	Root, Leaf  []byte
	Path        [][]byte
}

type Consistency struct {
	New, Old         int64
	NewRoot, OldRoot []byte
	Path             [][]byte
}

type Signed struct{ Public, Message, Signature []byte }

type Asked struct {
	Openings    []Opening
	Inclusions  []Inclusion
	Consistency []Consistency
	Tiles       map[string][]byte
	Size        int64
	Signatures  []Signed
}

type Told struct {
	Openings    []string // "size root unknown-signatures", or the error
	Inclusions  []bool
	Consistency []bool
	Root        string   // computed from tiles alone
	Paths       [][]string // the inclusion proof of each leaf, from tiles alone
	Signatures  []bool
}

func main() {
	var asked Asked
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	told := Told{}
	for _, each := range asked.Openings {
		told.Openings = append(told.Openings, open(each))
	}
	for _, each := range asked.Inclusions {
		err := tlog.CheckRecord(hashes(each.Path), each.Size, hash(each.Root), each.Index, hash(each.Leaf))
		told.Inclusions = append(told.Inclusions, err == nil)
	}
	for _, each := range asked.Consistency {
		err := tlog.CheckTree(hashes(each.Path), each.New, hash(each.NewRoot), each.Old, hash(each.OldRoot))
		told.Consistency = append(told.Consistency, err == nil)
	}
	if asked.Size > 0 {
		told.Root, told.Paths = fromTiles(asked)
	}
	for _, each := range asked.Signatures {
		told.Signatures = append(told.Signatures,
			ed25519.Verify(ed25519.PublicKey(each.Public), each.Message, each.Signature))
	}
	json.NewEncoder(os.Stdout).Encode(told)
}

func open(each Opening) string {
	verifier, err := note.NewVerifier(each.Key)
	if err != nil {
		return err.Error()
	}
	opened, err := note.Open([]byte(each.Note), note.VerifierList(verifier))
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%d %s %d", size, lines[2], len(opened.UnverifiedSigs))
}

// reader serves the tiles of C2SP tlog-tiles, named "level/number/width", to Go's tile walker.
type reader struct{ tiles map[string][]byte }

func (r reader) Height() int { return 8 }

func (r reader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range tiles {
		data, ok := r.tiles[fmt.Sprintf("%d/%d/%d", tile.L, tile.N, tile.W)]
		if !ok {
			return nil, fmt.Errorf("no tile %v", tile)
		}
		found = append(found, data)
	}
	return found, nil
}

func (r reader) SaveTiles([]tlog.Tile, [][]byte) {}

func fromTiles(asked Asked) (string, [][]string) {
	var root tlog.Hash
	for _, each := range asked.Inclusions {
		if each.Size == asked.Size {
			root = hash(each.Root)
			break
		}
	}
	tree := tlog.Tree{N: asked.Size, Hash: root}
	tiles := tlog.TileHashReader(tree, reader{asked.Tiles})
	found, err := tlog.TreeHash(asked.Size, tiles)
	if err != nil {
		return err.Error(), nil
	}
	var paths [][]string
	for index := int64(0); index < asked.Size; index += 37 {
		proof, err := tlog.ProveRecord(asked.Size, index, tiles)
		if err != nil {
			return err.Error(), nil
		}
		var path []string
		for _, each := range proof {
			path = append(path, base64.StdEncoding.EncodeToString(each[:]))
		}
		paths = append(paths, path)
	}
	return base64.StdEncoding.EncodeToString(found[:]), paths
}

func hash(data []byte) (found tlog.Hash) {
	copy(found[:], data)
	return found
}

func hashes(data [][]byte) (found []tlog.Hash) {
	for _, each := range data {
		found = append(found, hash(each))
	}
	return found
}
