"""What the stroke study learns from planted lesions: a U-Net over DWI and ADC, classifiers of
kinds, and the files that `lesionkit stroke --model` reads."""
