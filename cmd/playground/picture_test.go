package main_test

import (
	"bytes"
	"cmp"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/chromedp/chromedp"
)

// pictures is where the screens are kept for the documents, and heaviest what one of them may weigh.
const (
	pictures = "../../docs/pictures"
	heaviest = 200 << 10
)

// shoot writes a picture of the screen: into the documents, or to be looked at after a failure.
func (d *desk) shoot(name string) {
	d.Helper()
	data, err := chromedp.Run(d.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		d.Errorf("taking a picture: %v", err)
		return
	}
	path := filepath.Join(pictures, name+"-"+d.size.name+".png")
	if name == "failed-at" {
		path = filepath.Join(os.TempDir(), "playground-"+name+"-"+d.size.name+".png")
		d.Logf("what was seen is in %s", path)
	} else if data, err = lighter(data); err != nil {
		d.Fatal(err)
	}
	if len(data) > heaviest {
		d.Errorf("%s has %d bytes", path, len(data))
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		d.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		d.Fatal(err)
	}
}

// paletteOf chooses 256 colours: first the commonest of each kind of colour, so that small coloured words keep theirs,
// then the commonest of all.
func paletteOf(count map[color.RGBA]int) color.Palette {
	common := slices.SortedFunc(maps.Keys(count), func(a, b color.RGBA) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a.R, b.R), cmp.Compare(a.G, b.G), cmp.Compare(a.B, b.B))
	})
	var palette color.Palette
	kinds := map[[3]uint8]bool{}
	const most = 256
	for _, again := range []bool{false, true} {
		for _, c := range common {
			kind := [3]uint8{c.R >> 5, c.G >> 5, c.B >> 5}
			if len(palette) < most && (again || !kinds[kind]) && !slices.Contains(palette, color.Color(c)) {
				palette, kinds[kind] = append(palette, c), true
			}
		}
	}
	return palette
}

// lighter encodes a picture with 256 colours, which a page of flat areas does not miss.
func lighter(data []byte) ([]byte, error) {
	full, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	bounds, count := full.Bounds(), map[color.RGBA]int{}
	at := func(x, y int) color.RGBA { return color.RGBAModel.Convert(full.At(x, y)).(color.RGBA) }
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			count[at(x, y)]++
		}
	}
	palette := paletteOf(count)
	nearest, few := map[color.RGBA]uint8{}, image.NewPaletted(bounds, palette)
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			c := at(x, y)
			index, known := nearest[c]
			if !known {
				index = uint8(palette.Index(c))
				nearest[c] = index
			}
			few.SetColorIndex(x, y, index)
		}
	}
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	err = encoder.Encode(&out, few)
	return out.Bytes(), err
}
