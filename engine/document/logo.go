package document

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	_ "image/jpeg" // logos
	"image/png"
	"sync"
)

// Limits of a logo.
const (
	MaxLogoBytes = 512 << 10 // of the file
	maxLogoSide  = 3000      // pixels
	cachedLogos  = 16
)

// ErrLogo reports bytes that are not a usable logo.
var ErrLogo = errors.New("logo is not usable")

// logo is an image as the PDF writer takes it: an 8-bit opaque PNG.
type logo struct {
	png           []byte
	width, height int // pixels
}

var logos = struct {
	sync.Mutex
	m map[[sha256.Size]byte]*logo
}{m: map[[sha256.Size]byte]*logo{}}

// CheckLogo reports whether raw can stand on a document: PNG or JPEG, at most
// MaxLogoBytes and 3000 × 3000 pixels. The error wraps ErrLogo.
func CheckLogo(raw []byte) error {
	_, err := readLogo(raw)
	return err
}

// readLogo decodes raw and writes it anew, flattened onto white paper: the PDF
// writer knows neither interlaced nor 16-bit images, and bytes from outside are
// read by the standard library alone. The last few are kept.
func readLogo(raw []byte) (*logo, error) {
	if len(raw) > MaxLogoBytes {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrLogo, len(raw), MaxLogoBytes)
	}
	key := sha256.Sum256(raw)
	logos.Lock()
	known := logos.m[key]
	logos.Unlock()
	if known != nil {
		return known, nil
	}
	l, err := flatten(raw)
	if err != nil {
		return nil, err
	}
	logos.Lock()
	defer logos.Unlock()
	if len(logos.m) >= cachedLogos {
		clear(logos.m)
	}
	logos.m[key] = l
	return l, nil
}

func flatten(raw []byte) (*logo, error) {
	size, kind, err := image.DecodeConfig(bytes.NewReader(raw))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: neither PNG nor JPEG: %w", ErrLogo, err)
	case kind != "png" && kind != "jpeg":
		return nil, fmt.Errorf("%w: %s is neither PNG nor JPEG", ErrLogo, kind)
	case size.Width < 1 || size.Height < 1 || size.Width > maxLogoSide || size.Height > maxLogoSide:
		return nil, fmt.Errorf("%w: %d × %d pixels, at most %d × %d", ErrLogo, size.Width, size.Height, maxLogoSide, maxLogoSide)
	}
	src, _, err := image.Decode(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLogo, err)
	}
	flat := image.NewRGBA(image.Rect(0, 0, size.Width, size.Height))
	draw.Draw(flat, flat.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(flat, flat.Bounds(), src, src.Bounds().Min, draw.Over)
	var out bytes.Buffer
	if err := png.Encode(&out, flat); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLogo, err)
	}
	return &logo{png: out.Bytes(), width: size.Width, height: size.Height}, nil
}
