"""Two images of one brain: diffusion weighted, and the apparent diffusion coefficient (ADC).

An acute infarct is bright on the one and dark on the other; cortex is bright on the one alone.
docs/stroke-adc.md has the rule, its constants, and what they were chosen on.
"""

from __future__ import annotations

from lesionkit.studies.stroke.adc.images import Pair as Pair
from lesionkit.studies.stroke.adc.images import pair as pair
from lesionkit.studies.stroke.adc.maps import adc_map as adc_map
from lesionkit.studies.stroke.adc.maps import adc_scaled as adc_scaled
