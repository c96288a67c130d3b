#ifndef CMILLRACEKERNELS_H
#define CMILLRACEKERNELS_H

#include "parse_frame.h"
#include "format.h"
#include "rows.h"
#include "scaler.h"

#endif
