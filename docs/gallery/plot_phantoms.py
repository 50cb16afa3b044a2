"""
Phantoms, and what an MR image adds
===================================

Two phantoms of :func:`lesionkit.optics.generate`, HbO reconstructed from their readings with
Tikhonov's penalty and with DRI, which is guided by the MR image.
"""

import matplotlib.pyplot as plt

from lesionkit.optics import PhantomRecipe, generate, reconstruct_phantoms

recipe = PhantomRecipe(pixels=32, wavelengths=(661, 785, 808))
made = generate(recipe, 2, seed=4, accuracy="fast")
found = {
    method: reconstruct_phantoms(made.signal, recipe, mri=made.mri, method=method)
    for method in ("tikhonov", "dri")
}

figure, axes = plt.subplots(2, 4, figsize=(9, 4.6), layout="constrained")
for row, line in enumerate(axes):
    true = made.chromophores[row, 0]
    shown = {"MR image": made.mri[row], "HbO, true": true}
    shown |= {f"HbO, {name}": maps[row, 0] for name, maps in found.items()}
    for each, (name, picture) in zip(line, shown.items(), strict=True):
        gray = name == "MR image"
        limits = {} if gray else {"vmin": 0, "vmax": 1.2 * true.max()}
        image = each.imshow(picture, cmap="gray" if gray else "viridis", **limits)
        each.set_title(name if row == 0 else "")
        each.axis("off")
    figure.colorbar(image, ax=line[-1], label="micromolar")
plt.show()
