#ifndef CMILLRACEKERNELS_H
#define CMILLRACEKERNELS_H

#include "bank.h"
#include "regression.h"
#include "blas_start.h"
#include "drift.h"
#include "exponentials.h"
#include "file_map.h"
#include "filter.h"
#include "format.h"
#include "losses.h"
#include "parse_frame.h"
#include "parse_records.h"
#include "rows.h"
#include "scaler.h"
#include "softmax.h"
#include "solvers.h"
#include "sparse.h"
#include "wide.h"
#include "wide_softmax.h"

#endif
