"""Tables of cases: `lesionkit radiomics cases.csv`."""
