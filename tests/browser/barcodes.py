"""Clips whose every frame shows its number in its picture, and a script with which a page reads it.

The upper quarter of a frame is a row of bars, black or white: the frame's number in binary, with the lowest bit on the
left.
"""

BITS = 10


def source(size: str, rate: int, duration_s: float, below: str = "testsrc2", through: str = "null") -> str:
    """Return an ffmpeg filter graph (`-f lavfi`) of numbered frames, with a test picture below the bars.

    Args:
        below: the source of the test picture.
        through: a filter that is applied to it first.
    """
    bit = f"mod(floor(N/pow(2,floor({BITS}*X/W))),2)"
    return (
        f"{below}=size={size}:rate={rate}:duration={duration_s},{through},format=yuv420p,"
        f"geq=lum='if(lt(Y,H/4),16+219*{bit},lum(X,Y))':cb='if(lt(Y,H/4),128,cb(X,Y))':cr='if(lt(Y,H/4),128,cr(X,Y))'"
    )


#: JavaScript that gives a page `frameOf(video)`: the number in the picture that the video shows now, or -1 for none.
READER = f"""() => {{
window.frameOf = (video) => {{
  if (video.readyState < 2) return -1;
  const canvas = frameOf.canvas ??= new OffscreenCanvas({BITS} * 8, 8);
  const pen = canvas.getContext("2d", {{ willReadFrequently: true }});
  pen.drawImage(video, 0, 0, video.videoWidth, video.videoHeight / 4, 0, 0, {BITS} * 8, 8);
  const pixels = pen.getImageData(0, 4, {BITS} * 8, 1).data;
  let number = 0;
  for (let bit = 0; bit < {BITS}; bit += 1) if (pixels[4 * (8 * bit + 4)] > 127) number += 2 ** bit;
  return number;
}};
}}"""
